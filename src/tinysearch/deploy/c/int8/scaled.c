/* Multiply by multiplier * 2^(shift - 31), rounded twice as LiteRT's reference kernels round. */
static NOT_INLINE int32_t scaled(int32_t value, int32_t multiplier, int8_t shift)
{
    int64_t product;
    int32_t high, mask;

    if (shift > 0)
        value = (int32_t)((uint32_t)value << shift);
    product = (int64_t)value * multiplier;
    high = (int32_t)((product + (INT32_C(1) << 30)) >> 31);
    if (shift >= 0)
        return high;
    mask = (int32_t)((UINT32_C(1) << -shift) - 1);
    return (high >> -shift) + ((high & mask) > (mask >> 1) + (high < 0));
}

static int8_t clamped(int32_t value, int8_t lowest)
{
    return (int8_t)(value < lowest ? lowest : value > 127 ? 127 : value);
}
