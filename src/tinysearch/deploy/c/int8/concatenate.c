/* Puts channels of an image between those of another. */
struct concatenate {
    const int8_t *input;
    int8_t *output;
    int32_t multiplier;
    int16_t pixels, channels, all_channels;
    int8_t shift, input_zero, output_zero;
};

static NOT_INLINE void concatenate(const FLASH struct concatenate *layer)
{
    for (int i = 0; i < layer->pixels; i++)
        for (int channel = 0; channel < layer->channels; channel++)
            layer->output[i * layer->all_channels + channel] = clamped(
                scaled(layer->input[i * layer->channels + channel] - layer->input_zero, layer->multiplier, layer->shift)
                    + layer->output_zero,
                -128);
}
