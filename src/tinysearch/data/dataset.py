"""A dataset as a value, what workers get of it, and its folds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from tinysearch.data.images import Array, Channel, Images, pixel_statistics
from tinysearch.data.source import Source
from tinysearch.data.splits import FOLDS, Split
from tinysearch.errors import DatasetError, NoTestImagesError
from tinysearch.space.task import Task

# What is chosen where the data does not bring a part for validation, or groups.
_CHOSEN = ("last", "stratified")
__all__ = ["FOLDS", "Dataset", "TrainingData"]


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

    @classmethod
    def of(
        cls,
        task: Task,
        images: Images,
        full_scale: float,
        split: Split,
        *,
        fold: int | None = 0,
        groups: Array | None = None,
        test: Array | None = None,
    ) -> TrainingData:
        """Divide images; pixels are copied only where they are few and lie apart.

        Args:
            task, full_scale, test: See the class.
            images: All training images.
            split: How to divide them.
            fold: Which fold is held out; None to train on all.
            groups: The group of each image, shape ``(images,)``; None if there are none.

        Raises:
            DatasetError: see ``Split.parts``.
        """
        if fold is None:
            return cls(task, images, None, full_scale, test)
        train, validation = (images.selected(rows) for rows in split.parts(fold, images.labels, groups))
        return cls(task, train, validation, full_scale, test)

    @property
    def nbytes(self) -> int:
        """Bytes of all images."""
        parts = (self.train.pixels, None if self.validation is None else self.validation.pixels, self.test)
        return sum(part.nbytes for part in parts if part is not None)

    @cached_property
    def statistics(self) -> tuple[Channel, ...]:
        """Figures of each channel of the images that are trained on."""
        return pixel_statistics(self.train)


@dataclass(frozen=True, slots=True, repr=False)
class Dataset:
    """Labelled images, or series, of one task.

    Args:
        name: ``"mnist"``, ``"digits"``, ... or the name of the file or folder.
        source: Where it was found, in words.
        task: Shape of the images and number of classes.
        train: All training images, the ones held out for validation included.
        fingerprint: SHA-256 of shapes, types and bytes of the training arrays, sixteen hexadecimal digits.
        full_scale: The largest value that a pixel can have: 255 for bytes, else the largest absolute value seen.
        fallback: Why this is not the dataset, or not from the file, that one may have expected, or None.
        load_test: Reads the test images; called as often as they are asked for.
        class_names: Names of the classes, in the order of their numbers; nothing where they are not known.
        split: How a search divides the training images.
        groups: The group of each training image by number, shape ``(images,)``; None if there are none.
        groups_of: The group of each image of the ``"training"``, ``"validation"`` and ``"test"`` part of the source as
            it is called there, numbers or texts of shape ``(images,)`` in the source's order, or None; that of tests
            is there once they were read.
        notes: What a person should know of how the data was read, a sentence each.
        preparation: What was done to the source's pictures or arrays, a sentence each: a device must do the same.
        labels: What kind of labels the data came with, in words.
        rows: The number that each training image had in its part of the source, from 0; None if the order is that.
        warnings: What may be wrong with it, see ``checks``; nothing before it was checked.
        read_from: What finds it again.
        test_images: How many test images there are; None where that was not looked at yet, see ``checks``.
    """

    name: str
    source: str
    task: Task
    train: Images
    fingerprint: str
    full_scale: float
    fallback: str | None
    load_test: Callable[[], Images] = field(repr=False, compare=False)
    class_names: tuple[str, ...] = ()
    split: Split = field(default_factory=Split)
    groups: Array | None = field(default=None, repr=False, compare=False)
    groups_of: Mapping[str, Array | None] = field(default_factory=dict, repr=False, compare=False)
    notes: tuple[str, ...] = ()
    preparation: tuple[str, ...] = ()
    labels: str = "whole numbers"
    rows: Array | None = field(default=None, repr=False, compare=False)
    warnings: tuple[str, ...] = ()
    read_from: Source = field(default_factory=Source, compare=False)
    test_images: int | None = field(default=None, compare=False)

    def __repr__(self) -> str:
        """Show what it holds in short; ``overview`` has more."""
        shape = "x".join(map(str, self.task.input_shape))
        return f"<Dataset {self.name}: {len(self.train):,} training images of {shape}, {self.task.classes} classes>"

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

    def has_test(self) -> bool:
        """Whether there are test images that can be read."""
        try:
            self.load_test()
        except NoTestImagesError:
            return False
        return True

    def training_data(self, fold: int | None = 0) -> TrainingData:
        """Return what a candidate may see while it is searched for.

        Args:
            fold: Which part of the training images is held out for validation, see ``split``; None for none.
        """
        return TrainingData.of(self.task, self.train, self.full_scale, self.split, fold=fold, groups=self.groups)

    def row(self, number: int) -> int:
        """Return the number that a training image had in its part of the source, from 0."""
        return number if self.rows is None else int(self.rows[number])

    def described(self) -> dict[str, Any]:
        """Return what a run keeps of how its data was understood, plain JSON values.

        What is as it always was is left out: the last tenth held out, and classes that are called by their numbers.
        """
        plain: dict[str, Any] = {}
        if self.split != Split():
            plain["split"] = self.split.to_dict()
        if self.class_names and self.class_names != tuple(map(str, range(self.task.classes))):
            plain["class_names"] = list(self.class_names)
        return plain

    def as_in(self, described: Mapping[str, Any]) -> Dataset:
        """Return the dataset divided as a run that goes on has divided it, unless the data itself says how."""
        if self.split.kind in _CHOSEN:
            before = Split.from_dict(described.get("split", {}))
            if before.kind in _CHOSEN:
                return replace(self, split=before)
        return self
