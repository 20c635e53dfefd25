/* The mean of each channel. */
struct average {
    const float *input;
    float *output;
    int16_t pixels, channels;
};

static NOT_INLINE void average(const FLASH struct average *layer)
{
    for (int channel = 0; channel < layer->channels; channel++) {
        float sum = 0;

        for (int i = 0; i < layer->pixels; i++)
            sum += layer->input[i * layer->channels + channel];
        layer->output[channel] = sum / layer->pixels;
    }
}
