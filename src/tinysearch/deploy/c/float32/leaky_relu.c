struct leaky_relu {
    float *values;
    int32_t count;
};

static NOT_INLINE void leaky_relu(const FLASH struct leaky_relu *layer)
{
    for (int i = 0; i < layer->count; i++)
        if (layer->values[i] < 0)
            layer->values[i] *= @SLOPE@f;
}
