/* Also a dense layer: its kernel is as large as the image, and LiteRT rounds its results once, not twice.
   Weights: filters, rows, columns, channels. */
struct convolution {
    const int8_t *input;
    int8_t *output;
    const FLASH int8_t *weights;
    const FLASH int32_t *biases;
    const FLASH int32_t *multipliers;
    const FLASH int8_t *shifts;
    struct window window;
    int8_t input_zero, output_zero, lowest, dense;
};

static NOT_INLINE void convolution(const FLASH struct convolution *layer)
{
    const struct window window = layer->window;
    const int channels = window.in_channels;
    const int row = window.kernel_width * channels;
    int8_t *output = layer->output;

    for (int y = 0; y < window.out_height; y++) {
        const int top = y * window.stride_height - window.pad_top;
        const int first_row = first(top);
        const int rows = behind(top, window.kernel_height, window.in_height);

        for (int x = 0; x < window.out_width; x++) {
            const int left = x * window.stride_width - window.pad_left;
            const int skipped = first(left) * channels;
            const int count = behind(left, window.kernel_width, window.in_width) * channels - skipped;

            for (int filter = 0; filter < window.out_channels; filter++) {
                const FLASH int8_t *weights = layer->weights + filter * window.kernel_height * row + skipped;
                int32_t sum = layer->biases[filter];

                for (int i = first_row; i < rows; i++)
                    sum += dot(layer->input + ((top + i) * window.in_width + left) * channels + skipped,
                               weights + i * row, count, layer->input_zero);
                sum = (layer->dense ? scaled_once : scaled)(sum, layer->multipliers[filter], layer->shifts[filter]);
                *output++ = clamped(sum + layer->output_zero, layer->lowest);
            }
        }
    }
}
