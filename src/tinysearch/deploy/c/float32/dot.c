static NOT_INLINE float dot(const float *x, const FLASH float *w, int count)
{
    float sum = 0;

    for (int i = 0; i < count; i++)
        sum += x[i] * w[i];
    return sum;
}
