struct add {
    const int8_t *left, *right;
    int8_t *output;
    int32_t left_multiplier, right_multiplier, output_multiplier;
    int32_t count;
    int8_t left_shift, right_shift, output_shift;
    int8_t left_zero, right_zero, output_zero;
};

static NOT_INLINE void add(const FLASH struct add *layer)
{
    for (int i = 0; i < layer->count; i++) {
        const int32_t left = (int32_t)(layer->left[i] - layer->left_zero) * (INT32_C(1) << 20);
        const int32_t right = (int32_t)(layer->right[i] - layer->right_zero) * (INT32_C(1) << 20);
        const int32_t sum = scaled(left, layer->left_multiplier, layer->left_shift)
                            + scaled(right, layer->right_multiplier, layer->right_shift);

        layer->output[i] =
            clamped(scaled(sum, layer->output_multiplier, layer->output_shift) + layer->output_zero, -128);
    }
}
