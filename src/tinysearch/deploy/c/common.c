/* Weights and tables lie in flash. An AVR has them there only if it is told so, which strict C cannot say. */
#if defined(__AVR__) && defined(__STRICT_ANSI__)
#error "on an AVR, compile with -std=gnu99 or -std=gnu11, so that tables lie in flash"
#elif defined(__AVR__) && defined(__FLASH)
#define FLASH __flash
#else
#define FLASH
#endif

/* One copy of each function, the same for all layers. */
#if defined(__GNUC__) && __GNUC__ >= 8
#define NOT_INLINE __attribute__((noipa))
#elif defined(__GNUC__)
#define NOT_INLINE __attribute__((noinline))
#else
#define NOT_INLINE
#endif

/* A window that slides over an image; heights, widths and channels of what goes in and what comes out. */
struct window {
    int16_t in_height, in_width, in_channels;
    int16_t out_height, out_width, out_channels;
    int16_t kernel_height, kernel_width;
    int16_t stride_height, stride_width;
    int16_t pad_top, pad_left;
};

static model_value arena[MODEL_ARENA_BYTES / sizeof(model_value)];
