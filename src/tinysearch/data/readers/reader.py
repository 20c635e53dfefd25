"""What a reader is: the seam for sources of one's own."""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinysearch.errors import DatasetError, NoTestImagesError
from tinysearch.space.scalars import integer

Array = npt.NDArray[np.generic]
_LONGEST_SIDE = 1_000_000


@dataclass(frozen=True, slots=True)
class Reading:
    """What a person says of a source that it does not say itself.

    Args:
        size: Height and width that images are brought to, or that flat rows are folded to; perhaps channels. For a
            series in flat rows, with its layout: steps and channels.
        layout: Which axis is which, see ``layout.LAYOUTS``; None to tell by the shape.
        label_column: The column of a table with the labels.
        groups: Where groups are: the name of an array or of a column, or a regular expression with one group that
            finds them in the names of files, or with a slash in it, in their paths below the folder of their class.
        color: ``"grey"``, ``"rgb"`` or ``"rgba"``: what images of files are brought to; None to tell by what they are.
        reader: A ``Reader`` of one's own, its class, or its name: ``module:Class`` or that of an entry point; None for
            the first that accepts the source.

    Raises:
        DatasetError: if a value is not legal.
    """

    size: tuple[int, ...] | None = None
    layout: str | None = None
    label_column: str | None = None
    groups: str | None = None
    color: str | None = None
    reader: Any = None

    def __post_init__(self) -> None:
        if self.size is not None:
            sides = [whole for one in self.size if (whole := integer(one)) is not None and 1 <= whole <= _LONGEST_SIDE]
            if len(sides) != len(self.size) or len(sides) not in (2, 3):
                raise DatasetError(
                    f"a size is HxW, such as 96x96, or HxWxC, or steps x channels of a series, each from 1 to "
                    f"{_LONGEST_SIDE:,}; got {self.size!r}"
                )
            object.__setattr__(self, "size", tuple(sides))
        if self.color not in (None, "grey", "rgb", "rgba"):
            raise DatasetError(f"a color is grey, rgb or rgba; got {self.color!r}")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a dataset as it was read.

    Args:
        pixels: Shape ``(images, ...)``, any type and layout that ``loading`` understands.
        labels: Of any kind that ``labels.named`` reads.
        groups: The group of each image, shape ``(images,)``; None if there are none.
    """

    pixels: Array
    labels: Array
    groups: Array | None = None


def no_test_part() -> Part:
    """Raise the error of a source without a test part."""
    raise NoTestImagesError("the data has no test part; give one to evaluate networks")


@dataclass(frozen=True, slots=True)
class Contents:
    """What a reader found.

    Args:
        name: Name of the dataset.
        source: Where it was found, in words.
        train: The training part.
        validation: The validation part that it brings, or None.
        read_test: Reads the test part when it is asked for; raises ``NoTestImagesError`` if there is none.
        class_names: Names of classes whose labels are numbers from 0; None where labels are names themselves.
        layout: Which axis is which, if the reader knows.
        notes: What a person should know of how it was read, a sentence each.
        preparation: What was done to pictures to make arrays of them, a sentence each: a device must do the same.
        in_order: Whether the order of the training images is a published one and is kept; else they are shuffled.
        fallback: Why this is not what one may have expected, or None.
    """

    name: str
    source: str
    train: Part
    validation: Part | None = None
    read_test: Callable[[], Part] = no_test_part
    class_names: Sequence[str] | None = None
    layout: str | None = None
    notes: tuple[str, ...] = ()
    preparation: tuple[str, ...] = ()
    in_order: bool = False
    fallback: str | None = field(default=None)


def refuse_unused(reading: Reading, unused: Sequence[str], where: str, remedy: str = "leave it out") -> None:
    """Refuse what a person said that means nothing to a source.

    Args:
        reading: What was said.
        unused: Names of its fields that must not be given.
        where: What they mean nothing to, as ``"for arrays"``.
        remedy: What can be done.

    Raises:
        DatasetError: if one of them was given.
    """
    for name in unused:
        if (value := getattr(reading, name, None)) is not None:
            raise DatasetError(f"`reading=Reading({name}={value!r})` has no meaning {where}; {remedy}")


class Reader(abc.ABC):
    """Reads one kind of source. A subclass is final, and has no state.

    Attributes:
        name: By which it is known.
        kind: What it reads, in words, for errors.
        unused: Names of fields of ``Reading`` that mean nothing to it; giving one is an error.
    """

    name: ClassVar[str]
    kind: ClassVar[str] = "this source"
    unused: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def accepts(self, source: Any) -> bool:
        """Whether a source is of this kind: a ``Path``, or whatever was given in Python. Nothing is read for it."""

    @abc.abstractmethod
    def read(self, source: Any, reading: Reading) -> Contents:
        """Read a source.

        Raises:
            DatasetError: if it cannot be read; it names the source, what is wrong, and what would be accepted.
        """
