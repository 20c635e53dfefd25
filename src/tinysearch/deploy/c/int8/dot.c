/* Sum of (x[i] - zero) * w[i]. */
static NOT_INLINE int32_t dot(const int8_t *x, const FLASH int8_t *w, int count, int zero)
{
    int32_t sum = 0;
    int i = 0;

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
    /* Two multiplications at a time: bytes 0 and 2, then 1 and 3, each widened to 16 bits. */
    uint32_t offset = ((uint32_t)-zero & 0xffffu) * 0x10001u;

    for (; i + 4 <= count; i += 4) {
        uint32_t bytes, weights, x_even, x_odd, w_even, w_odd;

        memcpy(&bytes, x + i, 4);
        memcpy(&weights, w + i, 4);
        __asm__("sxtab16 %0, %1, %2" : "=r"(x_even) : "r"(offset), "r"(bytes));
        __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(x_odd) : "r"(offset), "r"(bytes));
        __asm__("sxtb16 %0, %1" : "=r"(w_even) : "r"(weights));
        __asm__("sxtb16 %0, %1, ror #8" : "=r"(w_odd) : "r"(weights));
        __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x_even), "r"(w_even));
        __asm__("smlad %0, %1, %2, %0" : "+r"(sum) : "r"(x_odd), "r"(w_odd));
    }
#endif
    for (; i < count; i++)
        sum += (int32_t)(x[i] - zero) * w[i];
    return sum;
}
