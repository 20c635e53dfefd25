/* Reads images from standard input and writes the logits of each to standard output, as they lie in memory. */
#include <stdio.h>

#include "model.h"

int main(void)
{
    static model_pixel image[MODEL_INPUT_SIZE];

    while (fread(image, sizeof(model_pixel), MODEL_INPUT_SIZE, stdin) == MODEL_INPUT_SIZE) {
        model_classify(image);
        if (fwrite(model_logits(), sizeof(model_value), MODEL_CLASSES, stdout) != MODEL_CLASSES)
            return 1;
    }
    return 0;
}
