"""How pixels become the int8 input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.quantized import Factor, Scale, factor, scaled
from tinysearch.deploy.source import plain

# Bytes are multiplied by this before their scale, so that it has a fraction of its zero point.
_FINE = 1_024


@dataclass(frozen=True, slots=True)
class Entry:
    """The input of a network in int8.

    Args:
        to: How its whole numbers are scaled.
        scale, offset: Its real value is ``scale * pixel + offset``.
    """

    to: Scale
    scale: float
    offset: float

    @property
    def direct(self) -> bool:
        """Whether the input for each byte is the byte less 128, as it is where the pixels take up all bytes."""
        pixels = np.arange(256)
        return bool((self._rounded(pixels) == pixels - 128).all())

    @property
    def unscaled(self) -> Entry:
        """The same input where pixels come scaled."""
        return Entry(self.to, 1.0, 0.0)

    def values(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        """Return the int8 input for pixels, just as the C code makes it."""
        if pixels.dtype != np.uint8:
            return np.asarray(self._rounded(pixels), np.int8)
        if self.direct:
            return (pixels.astype(np.int16) - 128).astype(np.int8)
        multiplied, added = self._fine()
        levels = [scaled(pixel * _FINE + added, multiplied) for pixel in range(256)]
        return np.asarray(np.clip(levels, -128, 127).astype(np.int8)[pixels])

    def words(self, *, bytes_in: bool) -> tuple[tuple[str, ...], str, str]:
        """Return which functions C needs, the rule in words, and as an expression of ``image[i]``."""
        ratio, shift = self._real()
        if not bytes_in:
            rule = f"pixel * {plain(ratio)} + {plain(shift)}, rounded"
            return ("rounded",), rule, f"rounded(image[i] * {plain(ratio)}f + {plain(shift)}f)"
        if self.direct:
            return (), "each pixel (0 to 255) less 128", "(int8_t)(image[i] - 128)"
        (multiplier, right), added = self._fine()
        rule = f"pixel * {plain(ratio)} + {plain(shift)}, rounded, at most 127"
        expression = f"clamped(scaled(image[i] * INT32_C({_FINE}) + {added}, {multiplier}, {right}), -128)"
        return ("scaled",), rule, expression

    def _real(self) -> tuple[float, float]:
        return self.scale / self.to.scale, self.offset / self.to.scale + self.to.zero

    def _fine(self) -> tuple[Factor, int]:
        ratio, shift = self._real()
        return factor(ratio / _FINE), round(shift / ratio * _FINE)

    def _rounded(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the nearest whole numbers, halves away from zero, in the arithmetic of C's ``float``."""
        ratio, shift = (np.float32(one) for one in self._real())
        values = np.clip(pixels.astype(np.float32) * ratio + shift, np.float32(-128), np.float32(127))
        return np.asarray(np.trunc(values + np.copysign(np.float32(0.5), values)), np.float32)
