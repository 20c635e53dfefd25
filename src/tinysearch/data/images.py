"""Labelled images: checked, selected, and identified by their content."""

from __future__ import annotations

import hashlib
import math
import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.errors import DatasetError
from tinysearch.runtime.memory import MOST_IN_MEMORY
from tinysearch.space.task import BYTES, LEVELS, REAL

Array = npt.NDArray[np.generic]

# MD5 of the IDX files of MNIST (LeCun, Cortes and Burges), whose content an array in canonical order reproduces.
MNIST_MD5 = {
    "x_train": "6bbc9ace898e44ae57da46a324031adb",
    "y_train": "a25bea736e30d166cdddb491f175f624",
    "x_test": "2646ac647ad5339dbf082846283269ea",
    "y_test": "27ae3e4e09519cfbb04c329615203637",
}


# Number of images per step when statistics are computed; fewer if images are larger than MNIST's.
_STATISTICS = 4_096
_VALUES = _STATISTICS * 28 * 28
# Number of images in a sample that stands for all.
SAMPLE = 500
# Bytes count as the whole range if their ends are at most this far from 0 and 255.
_NEARLY = 8


class Selection:
    """Lazy selection of images of an array: images are copied only when they are accessed.

    It replaces an array of shape ``(images, height, width, channels)`` if a copy would take too much memory.

    Args:
        whole: The array, which may be a memory-mapped file.
        rows: Numbers of the images, in the order of the selection.
    """

    def __init__(self, whole: Array, rows: npt.NDArray[np.int64]) -> None:
        self.whole = whole
        self.rows = rows
        self.shape = (len(rows), *whole.shape[1:])
        self.dtype = whole.dtype
        self.size = math.prod(self.shape)
        self.nbytes = self.size * whole.dtype.itemsize
        self.ndim = whole.ndim

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, wanted: Any) -> Array:
        found: Array = self.whole[self.rows[wanted]]
        return found

    def __array__(self, dtype: npt.DTypeLike | None = None, copy: bool | None = None) -> Array:
        return np.asarray(self.whole[self.rows], dtype)

    def astype(self, dtype: npt.DTypeLike) -> Array:
        """Return all selected images as another type, in memory."""
        return self.whole[self.rows].astype(dtype)


@dataclass(frozen=True, slots=True)
class Images:
    """Labelled images.

    Args:
        pixels: Shape ``(images, height, width, channels)``, ``uint8`` (0 to 255) or ``float32``. The height of a series
            is its number of steps, the width is 1.
        labels: Shape ``(images,)``, ``int32``, from 0 to the number of classes minus one.
    """

    pixels: Array
    labels: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        """Show shape and type."""
        return f"<Images: {self.pixels.shape} {self.pixels.dtype}>"

    def selected(self, rows: npt.NDArray[np.int64]) -> Images:
        """Return some images: a view if they are contiguous, a copy if the array is small, else a ``Selection``.

        Args:
            rows: Numbers of the images, ascending.
        """
        if len(rows) and int(rows[-1]) - int(rows[0]) + 1 == len(rows):
            part = slice(int(rows[0]), int(rows[-1]) + 1)
            return Images(self.pixels[part], self.labels[part])
        if self.pixels.nbytes > MOST_IN_MEMORY:
            pixels: Any = Selection(self.pixels, rows)
            return Images(pixels, self.labels[rows])
        return Images(self.pixels[rows], self.labels[rows])

    @property
    def is_large(self) -> bool:
        """Whether the pixels are too large to be copied."""
        return self.pixels.nbytes > MOST_IN_MEMORY


def checked_type(dtype: np.dtype[Any], what: str) -> None:
    """Raise an error if a type cannot hold pixels.

    Raises:
        DatasetError: if it is a type of texts, objects, complex numbers, ...
    """
    if dtype.kind == "O":
        raise DatasetError(f"the {what} are object arrays; expected one array of numbers, with images all of one size")
    if dtype.kind not in "iufb":
        raise DatasetError(f"the {what} have type {dtype}; expected numbers, such as uint8 or float32")


def as_pixels(values: Array, what: str) -> Array:
    """Return values as pixels: bytes unchanged, all other types as ``float32``.

    Raises:
        DatasetError: if some values are not finite.
    """
    if values.dtype == np.uint8:
        return values
    with np.errstate(over="ignore"):
        pixels = values.astype(np.float32)
    if not np.isfinite(pixels).all():
        raise DatasetError(f"the {what} contain NaN or infinite pixels; expected finite numbers")
    return pixels


def sample(pixels: Array, count: int = SAMPLE) -> npt.NDArray[Any]:
    """Return evenly spaced images, shape ``(at most count, height, width, channels)``, without a copy if possible."""
    return pixels[:: max(1, len(pixels) // count)][:count]


def values_of(pixels: Array) -> str:
    """Return the kind of the values of images, see ``Task``, as a sample of the images shows it.

    Bytes need not reach exactly from 0 to 255: a few missing values at either end cost almost no precision in int8.
    """
    if pixels.dtype != np.uint8:
        return REAL
    found = sample(pixels)
    return BYTES if found.size and found.min() <= _NEARLY and found.max() >= 255 - _NEARLY else LEVELS


def fingerprint(images: Images) -> str:
    """Return the first sixteen hexadecimal digits of the SHA-256 of shapes, types and bytes."""
    digest = hashlib.sha256()
    for array in (images.pixels, images.labels):
        digest.update(f"{array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def lowest(images: Images) -> float:
    """Return the smallest value of all pixels."""
    return min(float(images.pixels[start : start + _STATISTICS].min()) for start in range(0, len(images), _STATISTICS))


@dataclass(frozen=True, slots=True)
class Channel:
    """Statistics of one channel: mean, standard deviation, smallest and largest value."""

    mean: float
    deviation: float
    low: float
    high: float


def pixel_statistics(images: Images) -> tuple[Channel, ...]:
    """Return the statistics of each channel over all images."""
    channels = images.pixels.shape[-1]
    total, squares = np.zeros(channels), np.zeros(channels)
    low, high = np.full(channels, np.inf), np.full(channels, -np.inf)
    step = max(1, min(_STATISTICS, _VALUES // max(1, images.pixels.size // max(1, len(images)))))
    for start in range(0, len(images), step):
        chunk = np.asarray(images.pixels[start : start + step], np.float64).reshape(-1, channels)
        # NumPy sums a contiguous row most exactly.
        columns = np.ascontiguousarray(chunk.T)
        total += [column.sum() for column in columns]
        squares += [np.square(column).sum() for column in columns]
        low, high = np.minimum(low, chunk.min(axis=0)), np.maximum(high, chunk.max(axis=0))
    count = images.pixels.size // channels
    mean = total / count
    deviation = np.sqrt(np.maximum(squares / count - mean**2, 0.0))
    # That of a constant channel may be tiny instead, because of rounding.
    deviation[low == high] = 0.0
    return tuple(Channel(*map(float, figures)) for figures in zip(mean, deviation, low, high, strict=True))


def is_mnist(part: str, images: Images) -> bool:
    """Whether the images are those of MNIST's ``"train"`` or ``"test"`` part, in canonical order."""
    count = len(images)
    if images.pixels.shape[1:] != (28, 28, 1) or images.pixels.dtype != np.uint8 or images.is_large:
        return False
    idx_images = struct.pack(">IIII", 0x803, count, 28, 28) + images.pixels.tobytes()
    idx_labels = struct.pack(">II", 0x801, count) + images.labels.astype(np.uint8).tobytes()
    return (
        hashlib.md5(idx_images, usedforsecurity=False).hexdigest() == MNIST_MD5[f"x_{part}"]
        and hashlib.md5(idx_labels, usedforsecurity=False).hexdigest() == MNIST_MD5[f"y_{part}"]
    )
