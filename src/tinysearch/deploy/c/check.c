/* Runs the test vectors: prints how many agree with what is expected, and fails if one does not. */
#include <stdio.h>

#include "labels.h"
#include "model.h"
#include "test_vectors.h"

int main(void)
{
    int agree = 0, correct = 0, exact = 0;

    for (int i = 0; i < TEST_VECTORS; i++) {
        const int answer = model_classify(test_images[i]);
        const model_value *logits = model_logits();
        int close = answer == test_answers[i], same = close;

        for (int j = 0; j < MODEL_CLASSES; j++) {
            const float difference = (float)logits[j] - (float)test_logits[i][j];

            close = close && difference <= TEST_TOLERANCE && -difference <= TEST_TOLERANCE;
            same = same && difference == 0;
        }
        if (!close)
            printf("image %d: %s, expected %s\n", i, model_labels[answer], model_labels[test_answers[i]]);
        agree += close;
        exact += same;
        correct += answer == test_labels[i];
    }
    printf("%d of %d answers as expected", agree, TEST_VECTORS);
    if (sizeof(model_value) == 1)
        printf(", %d of them exactly", exact);
    else
        printf(" to within %g", (double)TEST_TOLERANCE);
    printf("; %d name the true class\n", correct);
    return agree == TEST_VECTORS ? 0 : 1;
}
