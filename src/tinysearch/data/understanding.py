"""Conversion of what a reader found to a ``Dataset``, with the same rules for every source."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from typing import Any

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Array, Images, as_pixels, checked_type, fingerprint, is_mnist, values_of
from tinysearch.data.labels import Classes, classes_of
from tinysearch.data.layout import Arrangement, arranged
from tinysearch.data.readers.reader import Contents, Part, Reading
from tinysearch.data.splits import FOLDS, Kind, Split
from tinysearch.data.storage import allocate, chunks, taken
from tinysearch.errors import DatasetError
from tinysearch.space.task import Task

LEAST_IMAGES = 20
# Split of images that have neither a validation part nor groups.
DEFAULT_SPLIT: Kind = "stratified"
_BYTES = 255.0


def understood(
    contents: Contents,
    reading: Reading,
    *,
    expected: str | None = None,
    groups: Any = None,
    known: Collection[str] = (),
) -> Dataset:
    """Make a dataset from what a reader found: decide axes, types, labels, groups and order.

    Args:
        contents: Contents that the reader found.
        reading: Reading options of the user.
        expected: Name of the dataset that the contents must be, or None.
        groups: Group of each training image, given in Python; None to use the groups of the source, if any.
        known: Names of known datasets; contents with such a name that are another dataset are renamed.

    Raises:
        DatasetError: if the contents are invalid, or can be interpreted in more than one way.
    """
    name = contents.name
    what = f"train images in {name}"
    arrangement = _arrangement(contents.train, what, contents, reading)
    classes = classes_of(_labels(contents.train, what), what, contents.class_names)
    first = _images(contents.train, what, arrangement, classes, contents)
    official = is_mnist("train", first)
    _check_expected(contents, official, expected)
    in_order = contents.in_order or official or expected is not None
    # A file may be sorted by class; its last images would then be of one class only.
    order = None if in_order else np.random.default_rng(0).permutation(len(first))
    train = first if order is None else _ordered(first, order)
    rows = order
    of_whom = _groups_of_images(contents.train.groups if groups is None else groups, len(first), what)
    groups_of = {"training": of_whom}
    numbers = None if of_whom is None else np.unique(of_whom, return_inverse=True)[1].astype(np.int32)
    if numbers is not None and order is not None:
        numbers = numbers[order]
    split = Split(DEFAULT_SPLIT)
    if numbers is not None:
        # With fewer groups than folds, each group is a fold.
        split = Split("groups", folds=min(FOLDS, max(2, int(numbers.max()) + 1)))
    if contents.validation is not None:
        other = f"validation images in {name}"
        brought = _images(contents.validation, other, arrangement, classes, contents)
        _check_shape(brought, train, other)
        groups_of["validation"] = _groups_of_images(contents.validation.groups, len(brought), other)
        train = _joined(train, brought)
        split, numbers = Split("given", held=len(brought)), None
        rows = None if rows is None else np.concatenate([rows, np.arange(len(brought))])
    if len(train) < LEAST_IMAGES:
        raise DatasetError(f"{name} has {len(train)} training images; at least {LEAST_IMAGES} are needed")

    def load_test() -> Images:
        which = f"test images in {name}"
        part = contents.read_test()
        test = _images(part, which, _arrangement(part, which, contents, reading, arrangement), classes, contents)
        _check_shape(test, train, which)
        if official and not is_mnist("test", test):
            raise DatasetError(
                f"the test images in {name} are not those of MNIST, although the training images are; give a file "
                f"with both parts of MNIST"
            )
        groups_of["test"] = _groups_of_images(part.groups, len(test), which)
        return test

    if official:
        name = "mnist"
    elif expected is not None:
        name = expected
    elif name in known:
        # A file must not have the name of a dataset that it is not.
        name = f"{name}-file"
    return Dataset(
        name=name,
        source=contents.source,
        task=Task(_three(train.pixels.shape), len(classes.names), values_of(train.pixels)),
        train=train,
        fingerprint=fingerprint(train),
        full_scale=_full_scale(train.pixels),
        fallback=contents.fallback,
        load_test=cache(load_test),
        class_names=classes.names,
        split=split,
        groups=numbers,
        groups_of=groups_of,
        notes=(*contents.notes, *((arrangement.note,) if arrangement.note else ())),
        preparation=(*contents.preparation, *arrangement.preparation),
        labels=classes.kind,
        rows=rows,
    )


def _check_expected(contents: Contents, official: bool, expected: str | None) -> None:
    if expected == "mnist" and not official and not contents.in_order:
        raise DatasetError(
            f"{contents.source} is not the canonical MNIST: the digest of its training images is not the published "
            f"one; leave out `dataset='mnist'` to use the file as a dataset of its own"
        )
    if expected not in (None, "mnist") and official:
        raise DatasetError(f"{contents.source} is MNIST, not {expected}; use `dataset='mnist'`, or give another file")


def _arrangement(
    part: Part, what: str, contents: Contents, reading: Reading, as_before: Arrangement | None = None
) -> Arrangement:
    """Return how the axes of a part are interpreted; other parts are interpreted like the training part."""
    pixels = np.asarray(part.pixels)
    checked_type(pixels.dtype, what)
    if as_before is not None:
        size = as_before.shape if pixels.ndim == 2 else None
        return arranged(pixels.shape, what, as_before.layout, size)
    layout = reading.layout or contents.layout
    found = arranged(pixels.shape, what, layout, reading.size if pixels.ndim == 2 else None)
    if reading.size is not None and not found.has_size(reading.size):
        here = "x".join(map(str, found.shape))
        raise DatasetError(
            f"the {what} are arrays of {here}, and `reading=Reading(size={reading.size})` was given, which "
            f"reshapes flat rows and resizes picture files; leave it out, or resize the arrays first"
        )
    return found


def _labels(part: Part, what: str) -> Array:
    labels = np.asarray(part.labels)
    count = len(part.pixels)
    if count == 0:
        raise DatasetError(f"there are no {what}; expected at least one")
    if labels.shape[:1] != (count,):
        raise DatasetError(
            f"the {what} come with labels of shape {labels.shape}; expected one label per image, shape ({count},)"
        )
    return labels


def _images(part: Part, what: str, arrangement: Arrangement, classes: Classes, contents: Contents) -> Images:
    numbers = classes.numbers(_labels(part, what), what, contents.class_names)
    pixels = np.asarray(part.pixels)
    if part.pixels.dtype == np.uint8 and isinstance(part.pixels, np.memmap):
        # A memory-mapped array stays mapped, unless its axes must be transposed.
        pixels = part.pixels
    if pixels.dtype == np.uint8:
        whole = arrangement.apply(pixels)
        if whole.flags.c_contiguous:
            return Images(whole, numbers)
    return Images(taken(pixels, None, lambda chunk: as_pixels(arrangement.apply(chunk), what)), numbers)


def _ordered(images: Images, order: np.ndarray) -> Images:
    return Images(taken(images.pixels, order, lambda chunk: chunk), images.labels[order])


def _joined(train: Images, validation: Images) -> Images:
    parts = (train.pixels, validation.pixels)
    kind = np.result_type(*parts)
    pixels = allocate((len(train) + len(validation), *train.pixels.shape[1:]), kind)
    for begin, part in ((0, parts[0]), (len(train), parts[1])):
        for piece in chunks(part):
            chunk = part[piece]
            pixels[begin + piece.start : begin + piece.start + len(chunk)] = chunk
    return Images(pixels, np.concatenate([train.labels, validation.labels]))


def _check_shape(images: Images, train: Images, what: str) -> None:
    if images.pixels.shape[1:] != train.pixels.shape[1:]:
        raise DatasetError(
            f"the {what} have shape {images.pixels.shape[1:]}, the training images {train.pixels.shape[1:]}; all parts "
            f"must have the same height, width and channels"
        )


def _groups_of_images(groups: Any, count: int, what: str) -> Array | None:
    """Return the groups of a part, numbers or texts of shape ``(images,)``; None if it has none.

    Raises:
        DatasetError: if the groups do not have one value per image.
    """
    if groups is None:
        return None
    groups = np.asarray(groups)
    if groups.ndim == 2 and groups.shape[1] == 1:
        groups = groups[:, 0]
    if groups.shape != (count,):
        raise DatasetError(
            f"the {what} come with groups of shape {groups.shape}; expected one group per image, shape ({count},)"
        )
    if groups.dtype.kind == "S":
        groups = np.array([one.decode(errors="backslashreplace") for one in groups.tolist()])
    found: Array = groups.astype(str) if groups.dtype == object else groups
    return found


def _three(shape: tuple[int, ...]) -> tuple[int, int, int]:
    return shape[1], shape[2], shape[3]


def _full_scale(pixels: Array) -> float:
    if pixels.dtype == np.uint8:
        return _BYTES
    return max(float(np.abs(pixels[part]).max()) for part in chunks(pixels)) or 1.0
