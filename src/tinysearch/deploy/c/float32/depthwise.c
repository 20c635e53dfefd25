/* Each channel by itself; with a 1x1 kernel in place. Weights: rows, columns, channels of the output.
   Weights that several layers share are multiplied by the gains of each. */
struct depthwise {
    const float *input;
    float *output;
    const FLASH float *weights;
    const FLASH float *gains;
    const FLASH float *biases;
    struct window window;
    int16_t multiple;
    int16_t relu;
};

static NOT_INLINE void depthwise(const FLASH struct depthwise *layer)
{
    const struct window window = layer->window;
    const int channels = window.in_channels;
    float *output = layer->output;

    for (int y = 0; y < window.out_height; y++) {
        const int top = y * window.stride_height - window.pad_top;
        const int first_row = first(top);
        const int rows = behind(top, window.kernel_height, window.in_height) - first_row;

        for (int x = 0; x < window.out_width; x++) {
            const int left = x * window.stride_width - window.pad_left;
            const int first_column = first(left);
            const int columns = behind(left, window.kernel_width, window.in_width) - first_column;
            const float *corner = layer->input + ((top + first_row) * window.in_width + left + first_column) * channels;
            const int skipped = (first_row * window.kernel_width + first_column) * window.out_channels;
            int filter = 0;

            for (int channel = 0; channel < channels; channel++)
                for (int k = 0; k < layer->multiple; k++, filter++) {
                    const float *input = corner + channel;
                    const FLASH float *weights = layer->weights + skipped + filter;
                    float sum = 0;

                    for (int i = 0; i < rows; i++) {
                        for (int j = 0; j < columns; j++)
                            sum += input[j * channels] * weights[j * window.out_channels];
                        input += window.in_width * channels;
                        weights += window.kernel_width * window.out_channels;
                    }
                    if (layer->gains)
                        sum *= layer->gains[filter];
                    sum += layer->biases[filter];
                    *output++ = layer->relu && sum < 0 ? 0 : sum;
                }
        }
    }
}
