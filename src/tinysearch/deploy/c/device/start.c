/* The beginning of a program on a Cortex-M, whose input and output go to the emulator. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FPU_ACCESS (*(volatile uint32_t *)0xE000ED88)

extern char bss_begin[], bss_end[];
extern uint32_t stack_top;
extern void initialise_monitor_handles(void);
extern int main(void);

void start(void)
{
#if defined(__ARM_FP)
    FPU_ACCESS |= 0xF00000;
#endif
    memset(bss_begin, 0, (size_t)(bss_end - bss_begin));
    initialise_monitor_handles();
    exit(main());
}

/* The first two words of memory: where the stack begins, and where the program does. */
const void *const vectors[2] __attribute__((section(".vectors"), used)) = {&stack_top, (const void *)start};
