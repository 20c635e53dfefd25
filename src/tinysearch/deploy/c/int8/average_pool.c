/* What lies outside the image is not counted; halves are rounded away from zero. */
static NOT_INLINE void average_pool(const FLASH struct pool *layer)
{
    const struct window window = layer->window;
    const int channels = window.in_channels;
    int8_t *output = layer->output;

    for (int y = 0; y < window.out_height; y++) {
        const int top = y * window.stride_height - window.pad_top;
        const int first_row = first(top);
        const int rows = behind(top, window.kernel_height, window.in_height);

        for (int x = 0; x < window.out_width; x++) {
            const int left = x * window.stride_width - window.pad_left;
            const int first_column = first(left);
            const int columns = behind(left, window.kernel_width, window.in_width);
            const int count = (rows - first_row) * (columns - first_column);

            for (int channel = 0; channel < channels; channel++) {
                int sum = 0;

                for (int i = first_row; i < rows; i++)
                    for (int j = first_column; j < columns; j++)
                        sum += layer->input[((top + i) * window.in_width + left + j) * channels + channel];
                sum += sum > 0 ? count / 2 : -(count / 2);
                *output++ = (int8_t)(sum / count);
            }
        }
    }
}
