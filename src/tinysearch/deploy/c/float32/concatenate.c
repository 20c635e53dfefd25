/* Puts channels of an image between those of another. */
struct concatenate {
    const float *input;
    float *output;
    int16_t pixels, channels, all_channels;
};

static NOT_INLINE void concatenate(const FLASH struct concatenate *layer)
{
    for (int i = 0; i < layer->pixels; i++)
        for (int channel = 0; channel < layer->channels; channel++)
            layer->output[i * layer->all_channels + channel] = layer->input[i * layer->channels + channel];
}
