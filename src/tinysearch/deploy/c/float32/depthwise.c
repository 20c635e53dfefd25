/* Each channel by itself; with a 1x1 kernel in place. Weights: rows, columns, channels of the output.
   Weights that several layers share are multiplied by the gains of each. */
struct depthwise {
    const float *input;
    float *output;
    const FLASH float *weights;
    const FLASH float *gains;
    const FLASH float *biases;
    struct window window;
    int16_t relu;
};

static NOT_INLINE void depthwise(const FLASH struct depthwise *layer)
{
    const int channels = layer->window.in_channels;
    const int multiple = layer->window.out_channels / channels;
    const int row = layer->window.kernel_width * layer->window.out_channels;
    float *output = layer->output;

    for (int y = 0; y < layer->window.out_height; y++) {
        const int top = y * layer->window.stride_height - layer->window.pad_top;
        const int rows = behind(top, layer->window.kernel_height, layer->window.in_height);

        for (int x = 0; x < layer->window.out_width; x++) {
            const int left = x * layer->window.stride_width - layer->window.pad_left;
            const int columns = behind(left, layer->window.kernel_width, layer->window.in_width);

            for (int filter = 0; filter < layer->window.out_channels; filter++) {
                const float *input = layer->input + filter / multiple;
                float sum = 0;

                for (int i = first(top); i < rows; i++)
                    for (int j = first(left); j < columns; j++)
                        sum += input[((top + i) * layer->window.in_width + left + j) * channels]
                               * layer->weights[i * row + j * layer->window.out_channels + filter];
                if (layer->gains)
                    sum *= layer->gains[filter];
                sum += layer->biases[filter];
                *output++ = layer->relu && sum < 0 ? 0 : sum;
            }
        }
    }
}
