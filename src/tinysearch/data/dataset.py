"""``Dataset``, a loaded dataset, and ``TrainingData``, the part of it that a worker receives."""

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

# Kinds of split that are used if the data has neither a validation part nor groups.
_CHOSEN = ("last", "stratified")
__all__ = ["FOLDS", "Dataset", "TrainingData"]


@dataclass(frozen=True)
class TrainingData:
    """The part of a dataset that a worker receives.

    Workers of searches and revalidations receive no test images, and no worker receives test labels.

    Args:
        task: Shape of the images and number of classes.
        train, validation: The two parts of the training images; validation is None if no fold is held out.
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
        """Return the data of one fold. Pixels are copied only if a part is not contiguous and the array is small.

        Args:
            task, full_scale, test: See the class.
            images: All training images.
            split: How to divide them.
            fold: Number of the fold to hold out; None to train on all images.
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
        """Number of bytes of all pixels."""
        parts = (self.train.pixels, None if self.validation is None else self.validation.pixels, self.test)
        return sum(part.nbytes for part in parts if part is not None)

    @cached_property
    def statistics(self) -> tuple[Channel, ...]:
        """Statistics of each channel of the images to train on."""
        return pixel_statistics(self.train)


@dataclass(frozen=True, slots=True, repr=False)
class Dataset:
    """Labelled images, or series, of one task.

    Args:
        name: ``"mnist"``, ``"digits"``, ... or the name of the file or folder.
        source: Description of where the data was found.
        task: Shape of the images and number of classes.
        train: All training images, including those held out for validation.
        fingerprint: First sixteen hexadecimal digits of the SHA-256 of shapes, types and bytes of the training arrays.
        full_scale: The largest value that a pixel can have: 255 for bytes, otherwise the largest absolute value of the
            training images.
        fallback: Reason why this is another dataset, or comes from another place, than the user may expect; else None.
        load_test: Function that reads the test images; called each time they are requested.
        class_names: Names of the classes in the order of their numbers; empty if unknown.
        split: How a search divides the training images.
        groups: Number of the group of each training image, shape ``(images,)``; None if the data has no groups.
        groups_of: Groups of the images of the ``"training"``, ``"validation"`` and ``"test"`` part, by part. They are
            the numbers or texts of the source, shape ``(images,)``, in the source's order, or None. The entry for
            tests is missing until the test images are read.
        notes: Sentences for users about how the data was read.
        preparation: Sentences about how the source's pictures or arrays were converted; a device must do the same.
        labels: Kind of the labels in the source, such as ``"whole numbers"``.
        rows: Number of each training image in its part of the source, from 0; None if the order is the same.
        warnings: Possible problems of the data, see ``checks``; empty until the dataset is checked.
        read_from: Source from which the dataset can be read again.
        test_images: Number of test images; None until the dataset is checked, see ``checks``.
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
        """Return a short summary; ``overview`` has more."""
        shape = "x".join(map(str, self.task.input_shape))
        return f"<Dataset {self.name}: {len(self.train):,} training images of {shape}, {self.task.classes} classes>"

    def test(self) -> Images:
        """Read the test images.

        Raises:
            DatasetError: if there are none, or their shape or classes do not match the training images.
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
        """Return the data that candidates may use during a search.

        Args:
            fold: Number of the fold to hold out for validation, see ``split``; None for none.
        """
        return TrainingData.of(self.task, self.train, self.full_scale, self.split, fold=fold, groups=self.groups)

    def row(self, number: int) -> int:
        """Return the number of a training image in its part of the source, from 0."""
        return number if self.rows is None else int(self.rows[number])

    def described(self) -> dict[str, Any]:
        """Return the split and the class names, which a run stores, as plain JSON values.

        Defaults are left out: a split that holds out the last tenth, and classes named by their numbers.
        """
        plain: dict[str, Any] = {}
        if self.split != Split():
            plain["split"] = self.split.to_dict()
        if self.class_names and self.class_names != tuple(map(str, range(self.task.classes))):
            plain["class_names"] = list(self.class_names)
        return plain

    def as_in(self, described: Mapping[str, Any]) -> Dataset:
        """Return the dataset with the split that a resumed run stored, unless the data itself determines the split.

        Args:
            described: What ``described`` returned; an empty mapping stands for a split that holds out the last tenth.
        """
        before = Split.from_dict(described.get("split", {}))
        alike = before.kind in _CHOSEN if self.split.kind in _CHOSEN else before.kind == self.split.kind == "groups"
        return replace(self, split=before) if alike else self
