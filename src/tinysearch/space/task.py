"""What the dataset fixes for every architecture: input shape and number of classes."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.errors import ArchitectureError


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
        shape = tuple(int(side) for side in self.input_shape)
        if len(shape) != 3 or min(shape) < 1 or shape[2] > 4:
            raise ArchitectureError(
                f"an input shape is (height, width, channels) with 1 to 4 channels, got {self.input_shape!r}"
            )
        object.__setattr__(self, "input_shape", shape)
        if self.classes < 2:
            raise ArchitectureError(f"a task needs at least 2 classes, got {self.classes}")
