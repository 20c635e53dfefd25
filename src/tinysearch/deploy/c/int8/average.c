/* The mean of each channel. */
struct average {
    const int8_t *input;
    int8_t *output;
    int32_t multiplier;
    int16_t pixels, channels;
    int8_t shift, input_zero, output_zero;
};

static NOT_INLINE void average(const FLASH struct average *layer)
{
    for (int channel = 0; channel < layer->channels; channel++) {
        int32_t sum = 0;

        for (int i = 0; i < layer->pixels; i++)
            sum += layer->input[i * layer->channels + channel] - layer->input_zero;
        sum = scaled(sum, layer->multiplier, layer->shift) + layer->output_zero;
        layer->output[channel] = clamped(sum, -128);
    }
}
