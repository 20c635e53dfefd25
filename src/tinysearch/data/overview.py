"""Overview of a dataset as plain values, for display and for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from tinysearch.data.checks import Findings, check
from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Array, Channel, Images, pixel_statistics
from tinysearch.errors import DatasetError, NoTestImagesError
from tinysearch.runtime.memory import worker_bytes
from tinysearch.space.task import Task


@dataclass(frozen=True, slots=True)
class PartOverview:
    """Overview of one part of a dataset.

    Args:
        images: Number of images.
        counts: Number of images of each class, in the order of the classes.
        low, high: The smallest and the largest value of a pixel.
    """

    images: int
    counts: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Overview of a dataset: how its source was interpreted, statistics, and findings of the checks.

    Args:
        name, source, fingerprint, notes, preparation, fallback: See ``Dataset``.
        task: Shape of the images and number of classes.
        dtype: Type of the stored pixels.
        labels: Kind of the labels in the source, such as ``"whole numbers"``.
        class_names: Names of the classes, in the order of their numbers.
        parts: Parts by name: images to train on, images held out by fold 0, test images.
        channels: Statistics of each channel of the images to train on.
        split: Description of the images that are held out.
        groups: Number of groups; None if the data has no groups.
        nbytes: Number of bytes of the pixels of all training images.
        on_disk: Whether the training images stay on disk.
        findings: Errors and warnings of the checks.
    """

    name: str
    source: str
    task: Task
    dtype: str
    labels: str
    class_names: tuple[str, ...]
    parts: dict[str, PartOverview]
    channels: tuple[Channel, ...]
    split: str
    groups: int | None
    fingerprint: str
    nbytes: int
    on_disk: bool
    notes: tuple[str, ...]
    preparation: tuple[str, ...]
    fallback: str | None
    findings: Findings

    @property
    def largest_share(self) -> float:
        """Share of the largest class among the images to train on: the accuracy of always predicting this class."""
        counts = self.parts["train"].counts
        return max(counts) / sum(counts)

    def worded(self, spell: Callable[[str], str]) -> Overview:
        """Return a copy whose notes, fallback and findings are rewritten by ``spell``."""
        return dataclasses.replace(
            self,
            notes=tuple(map(spell, self.notes)),
            fallback=None if self.fallback is None else spell(self.fallback),
            findings=Findings(tuple(dataclasses.replace(one, text=spell(one.text)) for one in self.findings.found)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "source": self.source,
            "kind": "series" if self.task.is_series else "images",
            "input_shape": list(self.task.input_shape),
            "dtype": self.dtype,
            "labels": self.labels,
            "classes": list(self.class_names),
            "parts": {
                name: {"images": part.images, "counts": list(part.counts), "low": part.low, "high": part.high}
                for name, part in self.parts.items()
            },
            "channels": [
                {"mean": one.mean, "std": one.deviation, "low": one.low, "high": one.high} for one in self.channels
            ],
            "split": self.split,
            "groups": self.groups,
            "largest_share": self.largest_share,
            "fingerprint": self.fingerprint,
            "bytes": self.nbytes,
            "bytes_per_worker": worker_bytes(self.nbytes),
            "on_disk": self.on_disk,
            "notes": list(self.notes),
            "preparation": list(self.preparation),
            "fallback": self.fallback,
            "warnings": list(self.findings.warnings),
            "errors": list(self.findings.errors),
        }


def overview(dataset: Dataset) -> Overview:
    """Return an overview of a dataset, including its test part."""
    data = dataset.training_data()
    classes = dataset.task.classes
    parts = {"train": _part(data.train, classes)}
    if data.validation is not None:
        parts["validation"] = _part(data.validation, classes)
    notes = dataset.notes
    try:
        parts["test"] = _part(dataset.test(), classes)
    except NoTestImagesError as error:
        notes = (*notes, str(error))
    except DatasetError:
        # The findings report this error.
        pass
    return Overview(
        name=dataset.name,
        source=dataset.source,
        task=dataset.task,
        dtype=str(dataset.train.pixels.dtype),
        labels=dataset.labels,
        class_names=dataset.class_names or tuple(map(str, range(classes))),
        parts=parts,
        channels=data.statistics,
        split=dataset.split.words,
        groups=None if dataset.groups is None else len(np.unique(dataset.groups)),
        fingerprint=dataset.fingerprint,
        nbytes=dataset.train.pixels.nbytes,
        on_disk=is_mapped(dataset.train.pixels),
        notes=notes,
        preparation=dataset.preparation,
        fallback=dataset.fallback,
        findings=check(dataset),
    )


def is_mapped(array: Array) -> bool:
    """Whether an array is a memory-mapped file, or a view of one."""
    base: object = array
    while isinstance(base, np.ndarray):
        if isinstance(base, np.memmap):
            return True
        base = base.base
    return False


def _part(images: Images, classes: int) -> PartOverview:
    figures = pixel_statistics(images)
    counts = np.bincount(images.labels, minlength=classes)
    low, high = min(one.low for one in figures), max(one.high for one in figures)
    return PartOverview(len(images), tuple(counts.tolist()), low, high)
