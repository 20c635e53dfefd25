"""``Reader``, the base class of readers, with the values that it takes and returns. Subclass it for custom sources."""

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
    """Reading options: what the user specifies about a source that the source does not define itself.

    Args:
        size: Height and width to which pictures are resized or flat rows are reshaped; optionally channels. For series
            in flat rows, together with their layout: steps and channels.
        layout: Order of the axes, see ``layout.LAYOUTS``; None to infer it from the shape.
        label_column: Name of the column of a table that holds the labels.
        groups: Where the groups are: the name of an array or of a column; or a regular expression with one group,
            which is searched in the names of picture files, or, if it has a slash, in their paths below the folder of
            their class.
        color: ``"grey"``, ``"rgb"`` or ``"rgba"``: color to which pictures are converted; None to infer it from them.
        reader: A custom ``Reader``, its class, or its name: ``module:Class`` or that of an entry point; None for the
            first reader that accepts the source.

    Raises:
        DatasetError: if a value is invalid.
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
    """A part of a dataset as a reader returns it.

    Args:
        pixels: Shape ``(images, ...)``, any type and layout that ``loading`` supports.
        labels: Labels of any kind that ``labels.named`` supports.
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
    """Contents of a source, as a reader returns them.

    Args:
        name: Name of the dataset.
        source: Description of where the data was found.
        train: The training part.
        validation: The validation part of the source, or None.
        read_test: Function that reads the test part on request; raises ``NoTestImagesError`` if there is none.
        class_names: Names of the classes if labels are numbers from 0; None if the labels are names themselves.
        layout: Order of the axes, if the reader knows it.
        notes: Sentences for users about how the source was read.
        preparation: Sentences about how pictures were converted to arrays; a device must do the same.
        in_order: Whether the order of the training images is a published one and is kept; otherwise they are shuffled.
        fallback: Reason why this is another dataset than the user may expect, or None.
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
    """Raise an error for a reading option that has no meaning for a source.

    Args:
        reading: Reading options of the user.
        unused: Names of the options that must not be given.
        where: Where they have no meaning, such as ``"for arrays"``.
        remedy: Remedy for the error message.

    Raises:
        DatasetError: if one of them is given.
    """
    for name in unused:
        if (value := getattr(reading, name, None)) is not None:
            raise DatasetError(f"`reading=Reading({name}={value!r})` has no meaning {where}; {remedy}")


class Reader(abc.ABC):
    """Base class of readers, each for one kind of source. A subclass is final, and has no state.

    Attributes:
        name: Name of the reader.
        kind: Description of the sources that it reads, for error messages.
        unused: Names of fields of ``Reading`` that have no meaning for it; giving one is an error.
    """

    name: ClassVar[str]
    kind: ClassVar[str] = "this source"
    unused: ClassVar[tuple[str, ...]] = ()

    @abc.abstractmethod
    def accepts(self, source: Any) -> bool:
        """Return whether the reader reads a source, a ``Path`` or any value from Python. It must not read data."""

    @abc.abstractmethod
    def read(self, source: Any, reading: Reading) -> Contents:
        """Read a source.

        Raises:
            DatasetError: if it cannot be read; the message names the source, the problem, and what would be accepted.
        """
