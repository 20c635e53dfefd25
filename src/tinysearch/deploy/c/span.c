/* Of a window that begins at start: its first part within the image, and the first one behind it. */
static int first(int start)
{
    return start < 0 ? -start : 0;
}

static int behind(int start, int kernel, int size)
{
    return kernel < size - start ? kernel : size - start;
}
