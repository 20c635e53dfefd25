"""Properties of the dataset that every architecture shares: input shape, kind of values, and number of classes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from tinysearch.errors import ArchitectureError, meant
from tinysearch.space.scalars import integer

MOST_CHANNELS = 16
# Series may have more channels, because features of sound are channels too.
MOST_SERIES_CHANNELS = 512
# Kinds of input values: bytes from 0 to 255, bytes of another range, and real numbers.
BYTES, LEVELS, REAL = "bytes", "levels", "real"
VALUES = (BYTES, LEVELS, REAL)


def most_channels(width: int) -> int:
    """Return the largest number of channels of an input with a given width; a series has width 1."""
    return MOST_SERIES_CHANNELS if width == 1 else MOST_CHANNELS


@dataclass(frozen=True, slots=True)
class Task:
    """Classification of images, or of series: recordings of steps x channels, with width 1.

    Args:
        input_shape: Height and width in pixels, and channels (1 to 16). For series: steps, 1, channels (1 to 512).
        classes: Number of classes, at least 2.
        values: Kind of the input values, which determines how much code converts them on a device: ``"bytes"`` from 0
            to 255, ``"levels"``, which are bytes of another range, or ``"real"`` numbers.

    Raises:
        ArchitectureError: if a value is not legal.

    >>> Task((121, 1, 6), 8).is_series, Task((28, 28, 1), 10).is_series
    (True, False)
    """

    input_shape: tuple[int, int, int] = (28, 28, 1)
    classes: int = 10
    values: str = BYTES

    def __post_init__(self) -> None:
        given = self.input_shape
        sides = [integer(side) for side in given] if isinstance(given, Iterable) else []
        shape = tuple(side for side in sides if side is not None)
        if len(sides) != 3 or len(shape) != 3 or min(shape) < 1 or shape[2] > most_channels(shape[1]):
            raise ArchitectureError(
                f"an input shape is (height, width, channels) with 1 to {MOST_CHANNELS} channels, or (steps, 1, "
                f"channels) with 1 to {MOST_SERIES_CHANNELS}, got {given!r}"
            )
        classes = integer(self.classes)
        if classes is None or classes < 2:
            raise ArchitectureError(f"a task needs a whole number of at least 2 classes, got {self.classes!r}")
        if self.values not in VALUES:
            raise ArchitectureError(
                f"the values of an input are {', '.join(VALUES)}; got {self.values!r}{meant(self.values, VALUES)}"
            )
        object.__setattr__(self, "input_shape", shape)
        object.__setattr__(self, "classes", classes)

    @property
    def image_bytes(self) -> int:
        """Bytes of an input on a device: one per value, or four if the values are real numbers."""
        return math.prod(self.input_shape) * (4 if self.values == REAL else 1)

    @property
    def is_series(self) -> bool:
        """Whether the inputs are series, whose only spatial dimension is time."""
        return self.input_shape[1] == 1 < self.input_shape[0]
