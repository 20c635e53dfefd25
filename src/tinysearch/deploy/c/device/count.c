/* Counts the instructions of one inference: QEMU runs one instruction in 1 ns (-icount shift=0), and SysTick counts
   every 40 ns of them. */
#include <stdint.h>
#include <stdio.h>

#include "model.h"
#include "test_vectors.h"

#define SYSTICK_CONTROL (*(volatile uint32_t *)0xE000E010)
#define SYSTICK_RELOAD (*(volatile uint32_t *)0xE000E014)
#define SYSTICK_VALUE (*(volatile uint32_t *)0xE000E018)

int main(void)
{
    uint32_t begin, end;

    SYSTICK_RELOAD = 0xFFFFFF;
    SYSTICK_VALUE = 0;
    SYSTICK_CONTROL = 5;
    begin = SYSTICK_VALUE;
    model_classify(test_images[0]);
    end = SYSTICK_VALUE;
    printf("%lu\n", (unsigned long)((begin - end) & 0xFFFFFF) * 40);
    return (SYSTICK_CONTROL & 0x10000) != 0;
}
