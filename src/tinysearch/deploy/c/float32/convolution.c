/* Also a dense layer, whose kernel is as large as the image. Weights: filters, rows, columns, channels.
   Weights that several layers share are multiplied by the gains of each. */
struct convolution {
    const float *input;
    float *output;
    const FLASH float *weights;
    const FLASH float *gains;
    const FLASH float *biases;
    struct window window;
    int16_t relu;
};

static NOT_INLINE void convolution(const FLASH struct convolution *layer)
{
    const struct window window = layer->window;
    const int channels = window.in_channels;
    const int row = window.kernel_width * channels;
    float *output = layer->output;

    for (int y = 0; y < window.out_height; y++) {
        const int top = y * window.stride_height - window.pad_top;
        const int first_row = first(top);
        const int rows = behind(top, window.kernel_height, window.in_height);

        for (int x = 0; x < window.out_width; x++) {
            const int left = x * window.stride_width - window.pad_left;
            const int skipped = first(left) * channels;
            const int count = behind(left, window.kernel_width, window.in_width) * channels - skipped;

            for (int filter = 0; filter < window.out_channels; filter++) {
                const FLASH float *weights = layer->weights + filter * window.kernel_height * row + skipped;
                float sum = 0;

                for (int i = first_row; i < rows; i++)
                    sum += dot(layer->input + ((top + i) * window.in_width + left) * channels + skipped,
                               weights + i * row, count);
                if (layer->gains)
                    sum *= layer->gains[filter];
                sum += layer->biases[filter];
                *output++ = layer->relu && sum < 0 ? 0 : sum;
            }
        }
    }
}
