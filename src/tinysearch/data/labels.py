"""Conversion of labels of any kind to class numbers and class names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tinysearch.errors import DatasetError
from tinysearch.space.scalars import written

Array = npt.NDArray[np.generic]
MOST_CLASSES = 1_000


@dataclass(frozen=True, slots=True)
class Classes:
    """The classes of a dataset: those of its training part.

    Args:
        names: Names of the classes, in the order of their numbers.
        kind: Kind of the labels in the data, such as ``"texts"``.
    """

    names: tuple[str, ...]
    kind: str

    def numbers(self, labels: Array, what: str, given: Sequence[str] | None = None) -> npt.NDArray[np.int32]:
        """Return the class numbers of labels, shape ``(images,)``.

        Args:
            labels: Labels as the data has them, see ``named``.
            what: Name of the labelled images in error messages.
            given: Names that the data has for labels that are numbers from 0.

        Raises:
            DatasetError: if the labels cannot be read, or one of them is not a known class.
        """
        names, places, kind = named(labels, what, given)
        known = {name: number for number, name in enumerate(self.names)}
        unknown = [name for name in names if name not in known]
        if unknown:
            row = int(np.flatnonzero(places == names.index(unknown[0]))[0])
            raise DatasetError(
                f"the {what} have the label {_several(unknown)} (first at number {row}), which no training image has; "
                f"training labels are {_several(self.names, 10)} ({self.kind}), those of the {what} are {kind}"
            )
        return np.array([known[name] for name in names], np.int32)[places]


def classes_of(labels: Array, what: str, given: Sequence[str] | None = None) -> Classes:
    """Return the classes of the labels of a training part.

    Numbers and one-hot rows are in numerical order. Texts are in alphabetical order, or in numerical order if all of
    them are whole numbers.

    Args:
        labels: See ``named``.
        what: Name of the labelled images in error messages.
        given: Names that the data has for labels that are numbers from 0.

    Raises:
        DatasetError: if the labels cannot be read, or if there are fewer than 2 classes, more than 1,000, or fewer than
            2 images per class on average.
    """
    names, _, kind = named(labels, what, given)
    count = len(labels)
    if len(names) < 2:
        raise DatasetError(f"all {what} have the same label, {names[0]!r}; at least 2 classes are needed")
    if len(names) > MOST_CLASSES or 2 * len(names) > count:
        raise DatasetError(
            f"the {count:,} {what} have {len(names):,} different labels, such as {_several(names)}; expected at most "
            f"{MOST_CLASSES:,} classes of at least 2 images on average. Divide measurements into classes first"
        )
    return Classes(tuple(names), kind)


def named(labels: Array, what: str, given: Sequence[str] | None = None) -> tuple[list[str], npt.NDArray[np.intp], str]:
    """Return names, places and kind of labels of any kind.

    Args:
        labels: Whole numbers of any type, booleans, texts, of shape ``(images,)`` or ``(images, 1)``; or one-hot rows,
            shape ``(images, classes)``.
        what: Name of the labelled images in error messages.
        given: Names for labels that are numbers from 0.

    Returns:
        The names of the classes that occur, in order; for each image the place of its class among them; and the kind of
        the labels in words.

    Raises:
        DatasetError: if the labels cannot be interpreted as classes.
    """
    labels = np.asarray(labels)
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    kind = _kind(labels)
    if labels.ndim == 2:
        labels = _from_one_hot(labels, what)
    if labels.ndim != 1:
        raise DatasetError(
            f"the labels of the {what} have shape {labels.shape}; expected one for each image, shape (images,), or "
            f"one-hot rows, shape (images, classes)"
        )
    if labels.dtype == object:
        labels = _from_objects(labels, what)
    if labels.dtype.kind in "US":
        return *_from_texts(labels, what), kind
    if labels.dtype.kind == "f":
        labels = _whole(labels, what)
    if labels.dtype.kind not in "iub":
        raise DatasetError(f"the labels of the {what} have type {labels.dtype}; expected whole numbers or texts")
    values, places = np.unique(labels, return_inverse=True)
    if given is not None:
        low, high = int(values[0]), int(values[-1])
        if low < 0 or high >= len(given):
            raise DatasetError(
                f"the labels of the {what} go from {low} to {high}, and there are {len(given)} names of classes "
                f"({_several(given)}), for the labels 0 to {len(given) - 1}; "
                f"{'subtract 1 from the labels' if (low, high) == (1, len(given)) else 'give a name for each, or none'}"
            )
        return [given[int(value)] for value in values], places, kind
    if labels.dtype == bool:
        return [str(bool(value)).lower() for value in values], places, kind
    return [str(int(value)) for value in values], places, kind


def _kind(labels: Array) -> str:
    if labels.ndim == 2 and labels.shape[1] > 1:
        return f"one-hot rows of {labels.shape[1]}"
    if labels.dtype.kind in "USO":
        return "texts"
    return {"b": "booleans", "f": "whole numbers as floats"}.get(labels.dtype.kind, "whole numbers")


def _from_one_hot(labels: Array, what: str) -> Array:
    if labels.dtype.kind not in "iufb":
        raise DatasetError(
            f"the labels of the {what} have shape {labels.shape} and type {labels.dtype}; expected one for each image, "
            f"or one-hot rows of 0 and 1"
        )
    rows = labels.astype(np.float64)
    legal = np.isin(rows, (0.0, 1.0)).all(axis=1) & (rows.sum(axis=1) == 1)
    if not legal.all():
        bad = int(np.flatnonzero(~legal)[0])
        raise DatasetError(
            f"the labels of the {what} have shape {labels.shape}, but row {bad} is not one-hot (one 1, else 0): "
            f"{np.array2string(labels[bad], threshold=8, edgeitems=3)}; give one class for each image"
        )
    numbers: Array = np.argmax(rows, axis=1)
    return numbers


def _from_objects(labels: Array, what: str) -> Array:
    found: list[object] = labels.tolist()
    if all(isinstance(value, bytes) for value in found):
        # Texts of TensorFlow.
        return np.array(found)
    if all(isinstance(value, str) for value in found):
        return np.array(found, dtype=str)
    if all(isinstance(value, (int, np.integer)) for value in found):
        return np.array(found)
    odd = next((row, value) for row, value in enumerate(found) if not isinstance(value, str))
    raise DatasetError(
        f"the labels of the {what} are object arrays of mixed kinds: number {odd[0]} is {odd[1]!r}; expected whole "
        f"numbers for all, or texts for all"
    )


def _from_texts(labels: Array, what: str) -> tuple[list[str], npt.NDArray[np.intp]]:
    values, places = np.unique(labels, return_inverse=True)
    try:
        texts = [value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]
    except UnicodeDecodeError:
        raise DatasetError(f"the labels of the {what} are bytes that are not UTF-8 text") from None
    stripped = [text.strip() for text in texts]
    if "" in stripped:
        empty = np.flatnonzero(places == stripped.index(""))
        raise DatasetError(f"{len(empty):,} of the {what} have an empty label, the first is number {int(empty[0])}")
    order = sorted(range(len(texts)), key=lambda place: _order(stripped, place))
    names: list[str] = []
    number_of = np.empty(len(texts), np.intp)
    for place in order:
        if not names or names[-1] != stripped[place]:
            names.append(stripped[place])
        number_of[place] = len(names) - 1
    return names, number_of[places]


def _order(texts: Sequence[str], place: int) -> tuple[int, str]:
    whole = all(text.isdecimal() and len(text) < 16 for text in texts)
    return (int(texts[place]) if whole else 0, texts[place])


def _whole(labels: Array, what: str) -> Array:
    numbers = labels.astype(np.float64)
    if not np.isfinite(numbers).all():
        bad = np.flatnonzero(~np.isfinite(numbers))
        raise DatasetError(f"{len(bad):,} labels of the {what} are not numbers, the first is number {int(bad[0])}")
    if (numbers != np.rint(numbers)).any():
        bad = np.flatnonzero(numbers != np.rint(numbers))
        raise DatasetError(
            f"the labels of the {what} have fractions, such as {written(float(numbers[bad[0]]))}; expected classes: "
            f"whole numbers, texts or one-hot rows. Divide measurements into classes first"
        )
    if np.abs(numbers).max(initial=0) > 2**53:
        raise DatasetError(f"the labels of the {what} are floats that are too large to be exact; give integers")
    return numbers.astype(np.int64)


def _several(names: Sequence[str], most: int = 3) -> str:
    shown = ", ".join(repr(name) for name in names[:most])
    return f"{shown}, ..." if len(names) > most else shown
