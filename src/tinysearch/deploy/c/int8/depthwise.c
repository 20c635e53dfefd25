/* Each channel by itself; with a 1x1 kernel in place. Weights: rows, columns, channels of the output. */
struct depthwise {
    const int8_t *input;
    int8_t *output;
    const FLASH int8_t *weights;
    const FLASH int32_t *biases;
    const FLASH int32_t *multipliers;
    const FLASH int8_t *shifts;
    struct window window;
    int8_t input_zero, output_zero, lowest;
};

static NOT_INLINE void depthwise(const FLASH struct depthwise *layer)
{
    const int channels = layer->window.in_channels;
    const int multiple = layer->window.out_channels / channels;
    const int row = layer->window.kernel_width * layer->window.out_channels;
    int8_t *output = layer->output;

    for (int y = 0; y < layer->window.out_height; y++) {
        const int top = y * layer->window.stride_height - layer->window.pad_top;
        const int rows = behind(top, layer->window.kernel_height, layer->window.in_height);

        for (int x = 0; x < layer->window.out_width; x++) {
            const int left = x * layer->window.stride_width - layer->window.pad_left;
            const int columns = behind(left, layer->window.kernel_width, layer->window.in_width);

            for (int filter = 0; filter < layer->window.out_channels; filter++) {
                const int8_t *input = layer->input + filter / multiple;
                int32_t sum = layer->biases[filter];

                for (int i = first(top); i < rows; i++)
                    for (int j = first(left); j < columns; j++)
                        sum += (int32_t)(input[((top + i) * layer->window.in_width + left + j) * channels]
                                         - layer->input_zero)
                               * layer->weights[i * row + j * layer->window.out_channels + filter];
                sum = scaled(sum, layer->multipliers[filter], layer->shifts[filter]) + layer->output_zero;
                *output++ = clamped(sum, layer->lowest);
            }
        }
    }
}
