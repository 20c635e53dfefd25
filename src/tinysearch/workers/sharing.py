"""Sharing of images with workers: passed once to the executor, then referenced by each job."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.data.dataset import Dataset, TrainingData
from tinysearch.data.images import Images
from tinysearch.data.splits import Split
from tinysearch.space.task import Task
from tinysearch.training.job import DataReference, Job
from tinysearch.workers.executor import Executor

Finder = Callable[[str], npt.NDArray[Any]]


def share(
    executor: Executor, dataset: Dataset, *, test: tuple[str, npt.NDArray[np.generic]] | None = None
) -> DataReference:
    """Share a dataset with an executor; return the reference for jobs.

    Args:
        executor: Receives the images once.
        dataset: Dataset whose training images and labels are shared.
        test: Fingerprint and pixels of the test images, for evaluations; test labels are never shared.
    """
    mark = dataset.fingerprint
    return DataReference(
        pixels=executor.share(f"{mark}-pixels", dataset.train.pixels),
        labels=executor.share(f"{mark}-labels", dataset.train.labels),
        fingerprint=mark,
        input_shape=dataset.task.input_shape,
        classes=dataset.task.classes,
        full_scale=dataset.full_scale,
        test=None if test is None else executor.share(f"{test[0]}-test", test[1]),
        split=dataset.split.to_dict(),
        groups=None if dataset.groups is None else executor.share(_groups_mark(mark, dataset.groups), dataset.groups),
    )


def _groups_mark(mark: str, groups: npt.NDArray[np.generic]) -> str:
    """Return a name for an array of groups: the same images may be used with different groups."""
    return f"{mark}-groups-{zlib.crc32(np.ascontiguousarray(groups).tobytes()):08x}"


def opened(job: Job, find: Finder) -> TrainingData:
    """Return the images that a job refers to, with its fold held out.

    Args:
        job: The job.
        find: Returns a shared array for the reference that ``Executor.share`` returned.
    """
    data = job.data
    test = None if data.test is None else find(data.test)
    images = Images(find(data.pixels), find(data.labels))
    return TrainingData.of(
        Task(data.input_shape, data.classes),
        images,
        data.full_scale,
        Split.from_dict(data.split),
        fold=job.fold,
        groups=None if data.groups is None else find(data.groups),
        test=test,
    )
