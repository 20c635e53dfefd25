/* What lies outside the image is not counted. */
static NOT_INLINE void average_pool(const FLASH struct pool *layer)
{
    const int channels = layer->window.in_channels;
    float *output = layer->output;

    for (int y = 0; y < layer->window.out_height; y++) {
        const int top = y * layer->window.stride_height - layer->window.pad_top;
        const int first_row = first(top);
        const int rows = behind(top, layer->window.kernel_height, layer->window.in_height);

        for (int x = 0; x < layer->window.out_width; x++) {
            const int left = x * layer->window.stride_width - layer->window.pad_left;
            const int first_column = first(left);
            const int columns = behind(left, layer->window.kernel_width, layer->window.in_width);
            const int count = (rows - first_row) * (columns - first_column);

            for (int channel = 0; channel < channels; channel++) {
                float sum = 0;

                for (int i = first_row; i < rows; i++)
                    for (int j = first_column; j < columns; j++)
                        sum += layer->input[((top + i) * layer->window.in_width + left + j) * channels + channel];
                *output++ = sum / (float)count;
            }
        }
    }
}
