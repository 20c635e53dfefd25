/* Each channel by itself; with a 1x1 kernel in place. Weights: rows, columns, channels of the output. */
struct depthwise {
    const int8_t *input;
    int8_t *output;
    const FLASH int8_t *weights;
    const FLASH int32_t *biases;
    const FLASH int32_t *multipliers;
    const FLASH int8_t *shifts;
    struct window window;
    int16_t multiple;
    int8_t input_zero, output_zero, lowest;
};

static NOT_INLINE void depthwise(const FLASH struct depthwise *layer)
{
    const struct window window = layer->window;
    const int channels = window.in_channels;
    const int zero = layer->input_zero;
    int8_t *output = layer->output;

    for (int y = 0; y < window.out_height; y++) {
        const int top = y * window.stride_height - window.pad_top;
        const int first_row = first(top);
        const int rows = behind(top, window.kernel_height, window.in_height) - first_row;

        for (int x = 0; x < window.out_width; x++) {
            const int left = x * window.stride_width - window.pad_left;
            const int first_column = first(left);
            const int columns = behind(left, window.kernel_width, window.in_width) - first_column;
            const int8_t *corner = layer->input + ((top + first_row) * window.in_width + left + first_column) * channels;
            const int skipped = (first_row * window.kernel_width + first_column) * window.out_channels;
            int filter = 0;

            for (int channel = 0; channel < channels; channel++)
                for (int k = 0; k < layer->multiple; k++, filter++) {
                    const int8_t *input = corner + channel;
                    const FLASH int8_t *weights = layer->weights + skipped + filter;
                    int32_t sum = layer->biases[filter];

                    for (int i = 0; i < rows; i++) {
                        for (int j = 0; j < columns; j++)
                            sum += (int32_t)(input[j * channels] - zero) * weights[j * window.out_channels];
                        input += window.in_width * channels;
                        weights += window.kernel_width * window.out_channels;
                    }
                    sum = scaled(sum, layer->multipliers[filter], layer->shifts[filter]) + layer->output_zero;
                    *output++ = clamped(sum, layer->lowest);
                }
        }
    }
}
