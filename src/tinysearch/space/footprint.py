"""What the int8 C code of a network takes of a microcontroller's flash, by arithmetic.

Tables are counted byte by byte, as they are written: weights once however often they are used, and for each
application four bytes per output for its bias, four for a multiplier and one for a shift; for each layer a structure,
and a call. The code is one function for each kind of layer. Its bytes were measured: arm-none-eabi-gcc 12.2, -Os, with
what it needs of the compiler's library. What the program around it takes is not counted.
"""

from __future__ import annotations

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
PROCESSORS = ("cortex-m0plus", "cortex-m4")
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


class Footprint:
    """Counts the flash of a network, layer by layer.

    Args:
        channels: Those of an image; where there are several, each is scaled in its own way.
    """

    def __init__(self, channels: int) -> None:
        self._entry = _ENTRY if channels == 1 else _ENTRY + _ENTRY_BY_CHANNEL
        self._tables = 0 if channels == 1 else _words(_NUMBERS_OF_CHANNEL * channels)
        self._calls = 0
        self._functions: set[str] = set()

    def add(self, kind: str, *, weights: int = 0, outputs: int = 0) -> None:
        """Count one layer.

        Args:
            kind: The function that computes it.
            weights: Those that no layer before it has.
            outputs: Outputs with a bias and a scale of their own.
        """
        self._calls += 1
        self._tables += _STRUCTURES[kind] + _words(weights) + 8 * outputs + _words(outputs)
        self._functions |= {kind, *_CALLED.get(kind, ())}

    def flash_bytes(self, processor: str = PROCESSORS[0]) -> int:
        """Return the bytes of tables and code on a processor."""
        which = PROCESSORS.index(processor)
        code = sum(_words(_CODE[name][which]) for name in self._functions)
        return self._tables + code + _words(self._entry + _CALL * self._calls)


def _words(count: int) -> int:
    return (count + 3) // 4 * 4
