struct add {
    const float *left, *right;
    float *output;
    int32_t count;
};

static NOT_INLINE void add(const FLASH struct add *layer)
{
    for (int i = 0; i < layer->count; i++)
        layer->output[i] = layer->left[i] + layer->right[i];
}
