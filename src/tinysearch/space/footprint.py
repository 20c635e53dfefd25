"""Flash of a microcontroller that the int8 C code of a network uses, by arithmetic.

Tables are counted byte by byte, as they are written. Weights count once, however often they are used. Each application
of a layer needs four bytes per output for its bias, four for a multiplier and one for a shift. Each layer needs a
structure and a call. The code is one function for each kind of layer. Its sizes were measured with arm-none-eabi-gcc
12.2 and -Os, and include the functions that it uses of the compiler's library. The surrounding program is not counted.

On an AVR (avr-gcc 5.4, -Os) addresses have two bytes, tables are not padded, and code is larger: an 8-bit processor
needs many instructions to compute in 32 and 64 bits. The compiler specializes a function that is called once, which
makes it smaller by an amount that depends on the layer. The largest such size is counted, so that most predictions
are above measurements.
"""

from __future__ import annotations

from collections import Counter

from tinysearch.space.task import BYTES, LEVELS, REAL

# Bytes of each function on a Cortex-M0+, which multiplies and divides with library functions, and on a Cortex-M4.
_CODE = {
    "scaled": (98, 70),
    "scaled_once": (52, 64),
    "dot": (28, 90),
    "convolution": (444, 420),
    "depthwise": (456, 426),
    "max_pool": (322, 280),
    "average_pool": (360, 316),
    "average": (96, 98),
    "add": (112, 112),
    "concatenate": (98, 98),
    "leaky_relu": (82, 80),
    "multiply": (92, 0),
    "shift": (56, 0),
    "divide": (468, 0),
}
# Largest number of rows, columns, channels or pixels: the code counts them in 16 bits.
MOST = 2**15 - 1
CORTEX = ("cortex-m0plus", "cortex-m4")
AVR = "avr"
PROCESSORS = (*CORTEX, AVR)
# Functions that the function of each kind of layer calls.
_CALLED = {
    "convolution": ("scaled", "scaled_once", "dot", "multiply", "shift"),
    "depthwise": ("scaled", "multiply"),
    "average_pool": ("divide",),
    "average": ("scaled", "multiply"),
    "add": ("scaled", "multiply"),
    "concatenate": ("scaled", "multiply"),
    "leaky_relu": ("scaled", "multiply"),
}
# Bytes of the structure of each kind of layer on a 32-bit processor.
_STRUCTURES = {
    "convolution": 52,
    "depthwise": 56,
    "max_pool": 32,
    "average_pool": 32,
    "average": 20,
    "add": 36,
    "concatenate": 24,
    "leaky_relu": 20,
}
_CALL = 10
# Bytes of the entry function, which classifies an image of bytes and calls the layers.
_ENTRY = 68
# Bytes of the code that scales several channels, each by its own numbers, and of the numbers per channel.
_ENTRY_BY_CHANNEL, _NUMBERS_OF_CHANNEL = 68, 9
# Additional bytes for the conversion of an input by processor, with one channel and with several. Real numbers need
# library functions on processors without a floating-point unit; the measured Cortex-M4 has one.
_CONVERSIONS: dict[str, dict[str, tuple[int, int]]] = {
    BYTES: dict.fromkeys(PROCESSORS, (0, 0)),
    LEVELS: {"cortex-m0plus": (44, 0), "cortex-m4": (52, 0), AVR: (114, 0)},
    REAL: {"cortex-m0plus": (2_944, 2_892), "cortex-m4": (104, 48), AVR: (962, 824)},
}
# The same on an AVR: bytes of each function if it is called several times, and if it is called once; of what all
# networks need, library arithmetic included; and of what a kind of layer needs in addition to its function.
_AVR_CODE = {
    "convolution": (1_458, 1_458),
    "depthwise": (1_378, 750),
    "max_pool": (788, 410),
    "average_pool": (960, 558),
    "average": (169, 169),
    "add": (534, 246),
    "concatenate": (404, 404),
    "leaky_relu": (358, 126),
}
_AVR_STRUCTURES = {
    "convolution": 40,
    "depthwise": 41,
    "max_pool": 28,
    "average_pool": 28,
    "average": 0,
    "add": 28,
    "concatenate": 17,
    "leaky_relu": 18,
}
_AVR_ALL, _AVR_NEEDED = 554, {"convolution": 312, "average_pool": 80}
_AVR_CALL, _AVR_ENTRY, _AVR_ENTRY_BY_CHANNEL = 8, 74, 198


class Footprint:
    """Counts the flash of a network, layer by layer.

    Args:
        channels: Number of channels of an image; with several, each has its own scaling.
        values: Kind of the values of an image, see ``Task``.
    """

    def __init__(self, channels: int, values: str = BYTES) -> None:
        self._several = channels > 1
        self._values = values
        # The numbers of a single channel are part of the code.
        self._numbers = 0 if channels == 1 else _NUMBERS_OF_CHANNEL * channels
        self._kinds: Counter[str] = Counter()
        # Bytes of the weights and of the numbers per output; `_words` rounds them to words for 32-bit processors.
        self._bytes = self._words = 0

    def add(self, kind: str, *, weights: int = 0, outputs: int = 0) -> None:
        """Count one layer.

        Args:
            kind: Name of the function that computes it.
            weights: Number of weights that it does not share with an earlier layer.
            outputs: Number of outputs with their own bias and scale.
        """
        self._kinds[kind] += 1
        self._bytes += weights + 9 * outputs
        self._words += whole_words(weights) + 8 * outputs + whole_words(outputs)

    def flash_bytes(self, processor: str = PROCESSORS[0]) -> int:
        """Return the size of tables and code in bytes on a processor, one of ``PROCESSORS``."""
        calls = self._kinds.total()
        conversion = _CONVERSIONS[self._values][processor][self._several]
        if processor == AVR:
            entry = _AVR_ENTRY + (_AVR_ENTRY_BY_CHANNEL if self._several else 0) + conversion
            code = sum(_AVR_CODE[kind][count == 1] + _AVR_NEEDED.get(kind, 0) for kind, count in self._kinds.items())
            structures = sum(_AVR_STRUCTURES[kind] * count for kind, count in self._kinds.items())
            return self._numbers + self._bytes + structures + code + _AVR_ALL + _AVR_CALL * calls + entry
        which = CORTEX.index(processor)
        functions = {name for kind in self._kinds for name in (kind, *_CALLED.get(kind, ()))}
        structures = sum(_STRUCTURES[kind] * count for kind, count in self._kinds.items())
        code = sum(whole_words(_CODE[name][which]) for name in functions)
        entry = _ENTRY + (_ENTRY_BY_CHANNEL if self._several else 0) + conversion
        return whole_words(self._numbers) + self._words + structures + code + whole_words(entry + _CALL * calls)


def whole_words(count: int) -> int:
    """Return a number of bytes rounded up to whole 32-bit words, as a linker pads arrays on 32-bit processors.

    >>> whole_words(127), whole_words(128)
    (128, 128)
    """
    return (count + 3) // 4 * 4
