struct pool {
    const int8_t *input;
    int8_t *output;
    struct window window;
};
