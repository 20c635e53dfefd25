"""What the int8 C code of a network takes of a microcontroller's flash, by arithmetic.

Tables are counted byte by byte, as they are written: weights once however often they are used, and for each
application four bytes per output for its bias, four for a multiplier and one for a shift; for each layer a structure,
and a call. The code is one function for each kind of layer. Its bytes were measured: arm-none-eabi-gcc 12.2, -Os, with
what it needs of the compiler's library. What the program around it takes is not counted.

On an AVR (avr-gcc 5.4, -Os) addresses have two bytes, tables are not padded, and code is larger: computing in 32 and 64
bits takes an 8-bit processor many instructions. A function that is called once is made for that call and smaller, by
how much depends on the layer; the largest such is counted, so that predictions are above what is measured.
"""

from __future__ import annotations

from collections import Counter

from tinysearch.space.task import BYTES, LEVELS, REAL

# Bytes of each function: on a Cortex-M0+, which multiplies and divides by functions of the library, and on a Cortex-M4.
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
# The code counts rows, columns, channels and pixels in 16 bits.
MOST = 2**15 - 1
CORTEX = ("cortex-m0plus", "cortex-m4")
AVR = "avr"
PROCESSORS = (*CORTEX, AVR)
# The functions that the functions of a kind of layer call.
_CALLED = {
    "convolution": ("scaled", "scaled_once", "dot", "multiply", "shift"),
    "depthwise": ("scaled", "multiply"),
    "average_pool": ("divide",),
    "average": ("scaled", "multiply"),
    "add": ("scaled", "multiply"),
    "concatenate": ("scaled", "multiply"),
    "leaky_relu": ("scaled", "multiply"),
}
# The structure of a layer of each kind, on a processor of 32 bits.
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
# What classifies an image of bytes, and what calls the layers.
_ENTRY = 68
# What scales several channels, each in its own way, and the numbers for each.
_ENTRY_BY_CHANNEL, _NUMBERS_OF_CHANNEL = 68, 9
# What the conversion of an input takes beside that, by processor: with one channel, and with several. Real numbers
# need functions of the library where there is no unit for them, as there is in the Cortex-M4 that is measured.
_CONVERSIONS: dict[str, dict[str, tuple[int, int]]] = {
    BYTES: dict.fromkeys(PROCESSORS, (0, 0)),
    LEVELS: {"cortex-m0plus": (44, 0), "cortex-m4": (52, 0), AVR: (114, 0)},
    REAL: {"cortex-m0plus": (2_944, 2_892), "cortex-m4": (104, 48), AVR: (962, 824)},
}
# The same on an AVR: each function where it is called several times, and where it is called once; what all networks
# need, arithmetic of the library included; and what a kind of layer needs beside its function.
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
        channels: Those of an image; where there are several, each is scaled in its own way.
        values: What the values of an image are, see ``Task``.
    """

    def __init__(self, channels: int, values: str = BYTES) -> None:
        self._several = channels > 1
        self._values = values
        # Those of one channel are part of the code.
        self._numbers = 0 if channels == 1 else _NUMBERS_OF_CHANNEL * channels
        self._kinds: Counter[str] = Counter()
        # Weights, and what goes with each output; on processors of 32 bits in whole words.
        self._bytes = self._words = 0

    def add(self, kind: str, *, weights: int = 0, outputs: int = 0) -> None:
        """Count one layer.

        Args:
            kind: The function that computes it.
            weights: Those that no layer before it has.
            outputs: Outputs with a bias and a scale of their own.
        """
        self._kinds[kind] += 1
        self._bytes += weights + 9 * outputs
        self._words += whole_words(weights) + 8 * outputs + whole_words(outputs)

    def flash_bytes(self, processor: str = PROCESSORS[0]) -> int:
        """Return the bytes of tables and code on a processor, one of ``PROCESSORS``."""
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
    """Return bytes rounded up to words of a processor of 32 bits, which is what a linker gives an array.

    >>> whole_words(127), whole_words(128)
    (128, 128)
    """
    return (count + 3) // 4 * 4
