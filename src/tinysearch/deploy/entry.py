"""Conversion of pixels to the int8 input of a network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.deploy.quantized import Factor, Scale, factor, scaled
from tinysearch.deploy.scaling import AS_IT_IS, Scaling
from tinysearch.deploy.source import Conversion, Table, plain

# Bytes are multiplied by this before they are scaled, so that the zero point can have a fraction.
_FINE = 1_024


@dataclass(frozen=True, slots=True)
class Entry:
    """The input of a network in int8.

    Args:
        to: Scale of its whole numbers.
        scaling: Scaling from pixels to its real values.
    """

    to: Scale
    scaling: Scaling

    @property
    def direct(self) -> bool:
        """Whether the input for each byte is the byte minus 128, as it is if pixels span 0 to 255."""
        pixels = np.arange(256)[:, None]
        return bool((self._rounded(pixels) == pixels - 128).all())

    @property
    def unscaled(self) -> Entry:
        """The same input for pixels that are already scaled."""
        return Entry(self.to, AS_IT_IS)

    def values(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.int8]:
        """Return the int8 input for pixels, exactly as the C code computes it; their last axis is the channels."""
        if pixels.dtype != np.uint8:
            return np.asarray(self._rounded(pixels), np.int8)
        if self.direct:
            return (pixels.astype(np.int16) - 128).astype(np.int8)
        levels = np.empty((256, len(self.scaling.factors)), np.int8)
        for channel, (multiplied, added) in enumerate(self._fine()):
            exact = [scaled(pixel * _FINE + added, multiplied) for pixel in range(256)]
            levels[:, channel] = np.clip(exact, -128, 127)
        return np.asarray(levels[pixels, np.arange(pixels.shape[-1]) if self.scaling.by_channel else 0])

    def conversion(self, *, bytes_in: bool) -> Conversion:
        """Return the conversion of pixels to the input in C.

        Args:
            bytes_in: Whether pixels are bytes.
        """
        ratios, shifts = self._real()
        rule = Scaling(tuple(map(float, map(plain, ratios))), tuple(map(float, map(plain, shifts)))).words
        if not bytes_in:
            return Conversion.of(
                "rounded(image[i] * {ratios} + {offsets})",
                f"{rule}, rounded",
                (
                    Table("float", "input_ratios", np.array(ratios, np.float32)),
                    Table("float", "input_offsets", np.array(shifts, np.float32)),
                ),
                ("rounded",),
            )
        if self.direct:
            return Conversion("(int8_t)(image[i] - 128)", "each pixel (0 to 255) less 128")
        fine = self._fine()
        return Conversion.of(
            f"clamped(scaled(image[i] * INT32_C({_FINE}) + {{offsets}}, {{multipliers}}, {{shifts}}), -128)",
            f"{rule}, rounded, at most 127",
            (
                Table("int32_t", "input_offsets", np.array([added for _, added in fine], np.int32)),
                Table("int32_t", "input_multipliers", np.array([one.multiplier for one, _ in fine], np.int32)),
                Table("int8_t", "input_shifts", np.array([one.shift for one, _ in fine], np.int8)),
            ),
            ("scaled",),
        )

    def _real(self) -> tuple[list[float], list[float]]:
        """Return the factors and the offsets that turn pixels into the input before rounding, per channel."""
        ratios = [one / self.to.scale for one in self.scaling.factors]
        return ratios, [one / self.to.scale + self.to.zero for one in self.scaling.offsets]

    def _fine(self) -> list[tuple[Factor, int]]:
        return [
            (factor(ratio / _FINE), round(shift / ratio * _FINE)) for ratio, shift in zip(*self._real(), strict=True)
        ]

    def _rounded(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the nearest whole numbers in int8, halves away from zero, in the arithmetic of C's ``float``."""
        ratios, shifts = (np.array(one, np.float32) for one in self._real())
        values = np.clip(pixels.astype(np.float32) * ratios + shifts, np.float32(-128), np.float32(127))
        return np.asarray(np.trunc(values + np.copysign(np.float32(0.5), values)), np.float32)
