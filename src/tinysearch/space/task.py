"""What the dataset fixes for every architecture: input shape and number of classes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tinysearch.errors import ArchitectureError
from tinysearch.space.scalars import integer


@dataclass(frozen=True, slots=True)
class Task:
    """Image classification.

    Args:
        input_shape: Height and width in pixels, and channels (1 to 4).
        classes: Number of classes, at least 2.
    """

    input_shape: tuple[int, int, int] = (28, 28, 1)
    classes: int = 10

    def __post_init__(self) -> None:
        given = self.input_shape
        sides = [integer(side) for side in given] if isinstance(given, Iterable) else []
        shape = tuple(side for side in sides if side is not None)
        if len(sides) != 3 or len(shape) != 3 or min(shape) < 1 or shape[2] > 4:
            raise ArchitectureError(f"an input shape is (height, width, channels) with 1 to 4 channels, got {given!r}")
        classes = integer(self.classes)
        if classes is None or classes < 2:
            raise ArchitectureError(f"a task needs a whole number of at least 2 classes, got {self.classes!r}")
        object.__setattr__(self, "input_shape", shape)
        object.__setattr__(self, "classes", classes)
