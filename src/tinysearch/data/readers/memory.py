"""Reader of data in memory: pairs of arrays, pairs of such pairs, and ``tf.data`` datasets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from tinysearch.data.readers.reader import Array, Contents, Part, Reader, Reading
from tinysearch.errors import DatasetError, NoTestImagesError

NAME = "arrays"


class Arrays(Reader):
    """Reads ``(x, y)``, ``((x, y), (x_test, y_test))`` and ``(train, validation, test)``.

    Parts are pairs of arrays, or of values that NumPy converts to arrays, or ``tf.data`` datasets; ``validation`` and
    ``test`` may be None.
    """

    name: ClassVar[str] = "arrays"
    kind: ClassVar[str] = "arrays"
    unused: ClassVar[tuple[str, ...]] = ("label_column", "color")

    def accepts(self, source: Any) -> bool:
        """Return whether a source is a tuple, a list, or a ``tf.data`` dataset."""
        return isinstance(source, (tuple, list)) or _is_stream(source)

    def read(self, source: Any, reading: Reading) -> Contents:
        """Return the arrays unchanged.

        Raises:
            DatasetError: if the source has another structure, or ``reading`` names groups, which is for files only.
        """
        if reading.groups is not None:
            raise DatasetError(
                f"`groups={reading.groups!r}` is for files; with arrays, pass the groups of the training images after "
                f"the labels: data=((x, y, groups), (x_test, y_test)), or ((x, y, groups), None) without a test part"
            )
        if _is_stream(source):
            parts: list[Any] = [source]
        elif len(source) == 2 and not _are_parts(*source):
            parts = [source]
        elif len(source) == 2:
            parts = [source[0], None, source[1]]
        elif len(source) == 3 and _is_part(source[0]):
            parts = list(source)
        else:
            raise DatasetError(
                f"data in Python is (x, y), ((x, y), (x_test, y_test)) or (train, validation, test), each a pair of "
                f"arrays or a tf.data.Dataset; got {_described(source)}"
            )
        train, validation, test = (*map(_part, parts), None, None)[:3]
        if train is None:
            raise DatasetError("the training part of the data is None; expected a pair of arrays")
        return Contents(
            name=NAME,
            source="arrays in memory",
            train=train,
            validation=validation,
            read_test=_without_test if test is None else lambda: test,
        )


def _without_test() -> Part:
    raise NoTestImagesError(
        "the data has no test part; to evaluate networks, give ((x, y), (x_test, y_test)) or (train, validation, test)"
    )


def _are_parts(train: Any, test: Any) -> bool:
    """Return whether two values are two parts, rather than images and labels; a list of two images is not a part."""
    return _is_part(train) and (not isinstance(train, list) or test is None or _is_part(test))


def _is_part(value: Any) -> bool:
    """Return whether a value is a part: a tuple or list with arrays, unlike one array of two images, or a stream."""
    if _is_stream(value):
        return True
    return isinstance(value, (tuple, list)) and len(value) in (2, 3) and any(hasattr(one, "shape") for one in value)


def _part(given: Any) -> Part | None:
    if given is None:
        return None
    if _is_stream(given):
        return _from_stream(given)
    if not isinstance(given, (tuple, list)) or len(given) not in (2, 3):
        raise DatasetError(
            f"a part of the data is a pair of arrays, (x, y), or with groups (x, y, groups); got {_described(given)}"
        )
    pixels, labels, *groups = map(_array, given)
    return Part(pixels, labels, groups[0] if groups else None)


def _array(given: Any) -> Array:
    try:
        return np.asarray(given)
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"NumPy cannot make an array of {_described(given)} ({str(error).splitlines()[0]}); all images must "
            f"have the same size"
        ) from None


def _is_stream(value: Any) -> bool:
    """Return whether a value is a ``tf.data.Dataset``, without importing TensorFlow."""
    return any(one.__module__.startswith("tensorflow.") and one.__name__ == "DatasetV2" for one in type(value).__mro__)


def _from_stream(stream: Any) -> Part:
    spec = stream.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        raise DatasetError(f"a tf.data.Dataset gives pairs of image and label, this one gives {spec}")
    if int(stream.cardinality()) == -1:
        raise DatasetError("this tf.data.Dataset never ends; leave out .repeat(), or add .take(number)")
    pairs = [(np.asarray(image), np.asarray(label)) for image, label in stream.as_numpy_iterator()]
    if not pairs:
        raise DatasetError("this tf.data.Dataset gives no image")
    pixels, labels = map(list, zip(*pairs, strict=True))
    if not _are_batches(spec[0].shape, spec[1].shape, labels):
        pixels, labels = [image[None] for image in pixels], [label[None] for label in labels]
    sizes = {one.shape[1:] for one in pixels}
    if len(sizes) > 1:
        shown = ", ".join(map(str, sorted(sizes)[:3]))
        raise DatasetError(f"the images of this tf.data.Dataset are of different shapes: {shown}; resize them first")
    return Part(np.concatenate(pixels), np.concatenate(labels))


def _are_batches(images: Any, marks: Any, labels: Sequence[Array]) -> bool:
    """Return whether a stream yields batches, judged by its shapes of images and labels.

    In a batch, labels have a first axis as long as that of the images. A one-hot row may have this length by chance.
    """
    if images.rank == 4:
        return True
    if images.rank == 0 or not marks.rank or images[0] != marks[0]:
        return False
    by_chance = marks.rank == 1 and (marks[0] or 0) > 2
    return not (by_chance and all(np.count_nonzero(label) == 1 and label.max() == 1 for label in labels))


def _described(value: Any) -> str:
    if hasattr(value, "shape"):
        return f"an array of shape {tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        inner: Sequence[Any] = value[:4]
        return f"a {type(value).__name__} of {len(value)}: {', '.join(map(_short, inner))}"
    return _short(value)


def _short(value: Any) -> str:
    return f"an array of shape {tuple(value.shape)}" if hasattr(value, "shape") else type(value).__name__
