/* The same, rounded once. */
static NOT_INLINE int32_t scaled_once(int32_t value, int32_t multiplier, int8_t shift)
{
    return (int32_t)(((int64_t)value * multiplier + (INT64_C(1) << (30 - shift))) >> (31 - shift));
}
