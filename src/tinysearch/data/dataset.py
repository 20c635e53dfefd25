"""A dataset as a value, what workers get of it, and its folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tinysearch.data.download import Array
from tinysearch.data.images import Images, pixel_statistics
from tinysearch.errors import DatasetError
from tinysearch.space.task import Task

FOLDS = 10


@dataclass(frozen=True)
class TrainingData:
    """What a worker has of a dataset. What searches and revalidates has no test image, and no worker has their labels.

    Args:
        task: Shape of the images and number of classes.
        train, validation: The two parts of the training images; validation may be None.
        full_scale: The largest value that a pixel can have.
        test: The test images without their labels, for evaluations only.
    """

    task: Task
    train: Images
    validation: Images | None
    full_scale: float
    test: Array | None = None

    @property
    def nbytes(self) -> int:
        """Bytes of all images."""
        parts = (self.train.pixels, None if self.validation is None else self.validation.pixels, self.test)
        return sum(part.nbytes for part in parts if part is not None)

    @cached_property
    def statistics(self) -> tuple[float, float]:
        """Mean and standard deviation of all pixels that are trained on."""
        return pixel_statistics(self.train)


def split(images: Images, fold: int | None, task: Task, full_scale: float, test: Array | None = None) -> TrainingData:
    """Return what a training sees of some images: those held out for validation, and the others.

    The ten folds are all different and of one size; they overlap where that does not divide the images.

    Args:
        images: All training images; what is taken from one end of them is no copy.
        fold: From 0, the last 10 % of the images, to 9, the first 10 %; None to train on all images.
        task, full_scale, test: See ``TrainingData``.
    """
    if fold is None:
        return TrainingData(task, images, None, full_scale, test)
    count, size = len(images), max(1, round(len(images) / FOLDS))
    begin = max(0, count - (fold + 1) * size)
    if count <= (FOLDS - 1) * size:
        # One after the other, the first folds of so few images would be the same.
        begin = round((count - size) * (FOLDS - 1 - fold) / (FOLDS - 1))
    end = begin + size
    held = Images(images.pixels[begin:end], images.labels[begin:end])
    if end == count:
        rest = Images(images.pixels[:begin], images.labels[:begin])
    elif begin == 0:
        rest = Images(images.pixels[end:], images.labels[end:])
    else:
        pixels = np.concatenate([images.pixels[:begin], images.pixels[end:]])
        rest = Images(pixels, np.concatenate([images.labels[:begin], images.labels[end:]]))
    return TrainingData(task, rest, held, full_scale, test)


@dataclass(frozen=True, slots=True)
class Dataset:
    """Images of one task.

    Args:
        name: ``"mnist"``, ``"digits"``, ... or the name of the file.
        source: Where it was found, in words.
        task: Shape of the images and number of classes.
        train: All training images, the ones held out for validation included.
        fingerprint: SHA-256 of shapes, types and bytes of the training arrays, sixteen hexadecimal digits.
        full_scale: The largest value that a pixel can have: 255 for bytes, else the largest absolute value seen.
        fallback: Why this is not the dataset, or not from the file, that one may have expected, or None.
        load_test: Reads the test images; called as often as they are asked for.
    """

    name: str
    source: str
    task: Task
    train: Images
    fingerprint: str
    full_scale: float
    fallback: str | None
    load_test: Callable[[], Images] = field(repr=False, compare=False)

    def test(self) -> Images:
        """Read the test images.

        Raises:
            DatasetError: if there are none, or they are not of the training images' shape and classes.
        """
        test = self.load_test()
        if test.pixels.shape[1:] != self.task.input_shape or int(test.labels.max()) >= self.task.classes:
            raise DatasetError(
                f"the test images of {self.name} have shape {test.pixels.shape[1:]} and labels up to "
                f"{test.labels.max()}; expected {self.task.input_shape} and labels below {self.task.classes}"
            )
        return test

    def training_data(self, fold: int | None = 0) -> TrainingData:
        """Return what a candidate may see while it is searched for; see ``split``."""
        return split(self.train, fold, self.task, self.full_scale)
