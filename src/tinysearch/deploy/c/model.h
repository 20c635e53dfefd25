/* @TITLE@ */
#ifndef MODEL_H
#define MODEL_H

#include <stdint.h>

#define MODEL_HEIGHT @HEIGHT@
#define MODEL_WIDTH @WIDTH@
#define MODEL_CHANNELS @CHANNELS@
#define MODEL_INPUT_SIZE (MODEL_HEIGHT * MODEL_WIDTH * MODEL_CHANNELS)
#define MODEL_CLASSES @CLASSES@
#define MODEL_ARENA_BYTES @ARENA@

@TYPES@

#ifdef __cplusplus
extern "C" {
#endif

/* Where the input goes, row by row, the channels of a pixel side by side: @RULE@.
   The memory serves other things while the network runs: write the whole input before each run. */
model_value *model_input(void);

/* Runs the network on its input. */
void model_run(void);

/* The results of the last run, one per class; they are valid until the next input is written. */
const model_value *model_logits(void);

/* Takes an image as input, runs the network, and returns the class of the largest logit, from 0. */
int model_classify(const model_pixel *image);

#ifdef __cplusplus
}
#endif

#endif
