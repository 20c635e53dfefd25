struct pool {
    const float *input;
    float *output;
    struct window window;
};
