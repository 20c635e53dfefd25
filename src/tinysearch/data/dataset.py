"""A dataset as a value, what workers get of it, and its folds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
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
        test: The test images without their labels, for evaluations only, see ``Dataset.evaluation_data``.
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

    def holding_out(self, fold: int) -> TrainingData:
        """Return the same images with another fold of them held out.

        The ten folds are all different and of one size; they overlap where that does not divide the images.

        Args:
            fold: From 0, the last fold, to 9, the first one.

        Returns:
            The data; what has no images for validation as it is.
        """
        if self.validation is None:
            return self
        pixels = np.concatenate([self.train.pixels, self.validation.pixels])
        labels = np.concatenate([self.train.labels, self.validation.labels])
        count, size = len(labels), len(self.validation)
        begin = max(0, count - (fold + 1) * size)
        if count <= (FOLDS - 1) * size:
            # One after the other, the first folds of so few images would be the same.
            begin = round((count - size) * (FOLDS - 1 - fold) / (FOLDS - 1))
        held = np.zeros(count, bool)
        held[begin : begin + size] = True
        train, validation = (Images(pixels[part], labels[part]) for part in (~held, held))
        return replace(self, train=train, validation=validation)


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

    def evaluation_data(self, *, hold_out: bool = False) -> TrainingData:
        """Return what an evaluation trains on, and the test images without their labels.

        Args:
            hold_out: Whether to hold images out for validation as ``training_data`` does, not to train on all.

        Raises:
            DatasetError: see ``test``.
        """
        data = self.training_data() if hold_out else TrainingData(self.task, self.train, None, self.full_scale)
        return replace(data, test=self.test().pixels)

    def training_data(self) -> TrainingData:
        """Return what a candidate may see while it is searched for.

        The last 10 % of the training images are held out for validation.
        """
        cut = len(self.train) - max(1, round(len(self.train) / FOLDS))
        pixels, labels = self.train.pixels, self.train.labels
        return TrainingData(
            self.task,
            Images(pixels[:cut], labels[:cut]),
            Images(pixels[cut:], labels[cut:]),
            self.full_scale,
        )
