"""What was understood of data, as plain values: for people to look at, and for programs to go on with."""

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
    """A part of a dataset.

    Args:
        images: How many images it has.
        counts: How many of each class, in the order of the classes.
        low, high: The least and the largest value of a pixel.
    """

    images: int
    counts: tuple[int, ...]
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Overview:
    """What was understood of a dataset.

    Args:
        name, source, fingerprint, notes, preparation, fallback: See ``Dataset``.
        task: Shape of the images and number of classes.
        dtype: Type of the pixels, as they are kept.
        labels: What kind of labels the data came with, in words.
        class_names: Names of the classes, in the order of their numbers.
        parts: The parts by name: training images that are trained on, those held out by the first fold, test images.
        channels: Figures of each channel of the images that are trained on.
        split: How images are held out, in words.
        groups: How many groups there are; None for none.
        nbytes: Bytes of all training images.
        on_disk: Whether they stay on disk.
        findings: What is wrong, or may be.
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
        """Share of the largest class among the images that are trained on: the accuracy of always saying so."""
        counts = self.parts["train"].counts
        return max(counts) / sum(counts)

    def worded(self, spell: Callable[[str], str]) -> Overview:
        """Return the same with what is said of it in other words."""
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
    """Look at a dataset as a whole, its test part included."""
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
        # What is wrong with it is among the findings.
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
    """Whether an array is a file that is mapped into memory, or a view of one."""
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
