model_value *model_input(void)
{
    return arena + @INPUT@;
}

const model_value *model_logits(void)
{
    return arena + @OUTPUT@;
}

int model_classify(const model_pixel *image)
{
    model_value *input = model_input();
    const model_value *logits = model_logits();
    int best = 0;

    for (@BEGIN@; i < MODEL_INPUT_SIZE; @NEXT@)
        input[i] = @CONVERTED@;
    model_run();
    for (int i = 1; i < MODEL_CLASSES; i++)
        if (logits[i] > logits[best])
            best = i;
    return best;
}
