struct leaky_relu {
    int8_t *values;
    int32_t multiplier, negative_multiplier;
    int32_t count;
    int8_t shift, negative_shift, input_zero, output_zero;
};

static NOT_INLINE void leaky_relu(const FLASH struct leaky_relu *layer)
{
    for (int i = 0; i < layer->count; i++) {
        const int32_t value = layer->values[i] - layer->input_zero;
        const int32_t result = value >= 0 ? scaled(value, layer->multiplier, layer->shift)
                                          : scaled(value, layer->negative_multiplier, layer->negative_shift);

        layer->values[i] = clamped(result + layer->output_zero, -128);
    }
}
