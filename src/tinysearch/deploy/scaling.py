"""Scaling of raw pixels, the first operation of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Scaling:
    """Scaling of a pixel to the real value ``factor * pixel + offset``.

    Args:
        factors, offsets: One of each for all channels, or one of each per channel.
    """

    factors: tuple[float, ...] = (1.0,)
    offsets: tuple[float, ...] = (0.0,)

    @classmethod
    def of(cls, factors: float | Sequence[float], offsets: float | Sequence[float]) -> Scaling:
        """Return the scaling of Keras's ``Rescaling``; numbers that are equal for all channels are stored once.

        >>> Scaling.of([0.5, 0.5], 1.0), Scaling.of([0.5, 0.25], 0)
        (Scaling(factors=(0.5,), offsets=(1.0,)), Scaling(factors=(0.5, 0.25), offsets=(0.0, 0.0)))
        """
        each = np.broadcast_arrays(np.atleast_1d(factors), np.atleast_1d(offsets))
        pairs = [(float(factor), float(offset)) for factor, offset in zip(*each, strict=True)]
        if len(set(pairs)) == 1:
            pairs = pairs[:1]
        return cls(tuple(factor for factor, _ in pairs), tuple(offset for _, offset in pairs))

    @property
    def does_nothing(self) -> bool:
        """Whether the scaling leaves pixels unchanged."""
        return self == AS_IT_IS

    @property
    def by_channel(self) -> bool:
        """Whether the scaling differs between channels."""
        return len(self.factors) > 1

    @property
    def words(self) -> str:
        """The scaling in words.

        >>> Scaling((0.5,)).words, Scaling((0.5, 0.25), (0.0, -1.0)).words
        ('pixel * 0.5 + 0.0', 'pixel * (0.5, 0.25) + (0.0, -1.0), by channel')
        """
        if self.by_channel:
            return f"pixel * {self.factors} + {self.offsets}, by channel"
        return f"pixel * {self.factors[0]!r} + {self.offsets[0]!r}"

    def values(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """Return the scaled values of pixels in float32; the last axis is the channels."""
        factors, offsets = (np.array(one, np.float32) for one in (self.factors, self.offsets))
        return np.asarray(pixels.astype(np.float32) * factors + offsets, np.float32)


AS_IT_IS = Scaling()
