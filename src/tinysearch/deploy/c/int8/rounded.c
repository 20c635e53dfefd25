static int8_t rounded(float value)
{
    return (int8_t)(value <= -128 ? -128 : value >= 127 ? 127 : value < 0 ? value - 0.5f : value + 0.5f);
}
