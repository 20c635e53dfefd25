static NOT_INLINE void max_pool(const FLASH struct pool *layer)
{
    const struct window window = layer->window;
    const int channels = window.in_channels;
    float *output = layer->output;

    for (int y = 0; y < window.out_height; y++) {
        const int top = y * window.stride_height - window.pad_top;
        const int rows = behind(top, window.kernel_height, window.in_height);

        for (int x = 0; x < window.out_width; x++) {
            const int left = x * window.stride_width - window.pad_left;
            const int columns = behind(left, window.kernel_width, window.in_width);

            for (int channel = 0; channel < channels; channel++) {
                const float *input = layer->input + channel;
                float most = input[((top + first(top)) * window.in_width + left + first(left)) * channels];

                for (int i = first(top); i < rows; i++)
                    for (int j = first(left); j < columns; j++) {
                        const float value = input[((top + i) * window.in_width + left + j) * channels];

                        if (value > most)
                            most = value;
                    }
                *output++ = most;
            }
        }
    }
}
