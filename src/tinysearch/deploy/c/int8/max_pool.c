static NOT_INLINE void max_pool(const FLASH struct pool *layer)
{
    const int channels = layer->window.in_channels;
    int8_t *output = layer->output;

    for (int y = 0; y < layer->window.out_height; y++) {
        const int top = y * layer->window.stride_height - layer->window.pad_top;
        const int rows = behind(top, layer->window.kernel_height, layer->window.in_height);

        for (int x = 0; x < layer->window.out_width; x++) {
            const int left = x * layer->window.stride_width - layer->window.pad_left;
            const int columns = behind(left, layer->window.kernel_width, layer->window.in_width);

            for (int channel = 0; channel < channels; channel++) {
                const int8_t *input = layer->input + channel;
                int8_t most = -128;

                for (int i = first(top); i < rows; i++)
                    for (int j = first(left); j < columns; j++) {
                        const int8_t value = input[((top + i) * layer->window.in_width + left + j) * channels];

                        if (value > most)
                            most = value;
                    }
                *output++ = most;
            }
        }
    }
}
