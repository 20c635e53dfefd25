from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.data.splits import Split
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.sharing import opened, share
from tinysearch.workers.threads import ThreadExecutor

Arrays = dict[str, npt.NDArray[Any]]


class Shelf(ThreadExecutor):
    """An executor that only keeps arrays."""

    def __init__(self) -> None:
        super().__init__(lambda job, data, on_epoch: pytest.fail("there is nothing to do"))
        self.arrays: Arrays = {}

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        self.arrays[f"there/{name}"] = array
        return f"there/{name}"


@pytest.fixture
def dataset() -> Dataset:
    pixels = np.arange(40 * 6, dtype=np.uint8).reshape(40, 3, 2, 1)
    images = Images(pixels, np.arange(40, dtype=np.int32) % 4)
    return Dataset("counted", "a test", Task((3, 2, 1), 4), images, "mark", 255.0, None, pytest.fail)


def job(data: DataReference, fold: int | None) -> Job:
    return Job(Candidate(Architecture((Conv(2),), Head("average")), Recipe()), 0, data, fold)


@pytest.mark.parametrize("fold", [0, 3, 9, None])
def test_a_job_sees_the_images_of_its_fold(fold: int | None, dataset: Dataset) -> None:
    shelf = Shelf()
    seen = opened(job(share(shelf, dataset), fold), shelf.arrays.__getitem__)
    expected = dataset.training_data(fold)
    assert (seen.task, seen.full_scale, seen.test) == (dataset.task, 255.0, None)
    np.testing.assert_array_equal(seen.train.pixels, expected.train.pixels)
    np.testing.assert_array_equal(seen.train.labels, expected.train.labels)
    assert (seen.validation is None) == (fold is None)
    if seen.validation is not None and expected.validation is not None:
        np.testing.assert_array_equal(seen.validation.pixels, expected.validation.pixels)
        np.testing.assert_array_equal(seen.validation.labels, expected.validation.labels)


@pytest.mark.parametrize("kind", ["stratified", "groups"])
def test_a_worker_divides_the_images_as_the_split_says(kind: str, dataset: Dataset) -> None:
    shelf = Shelf()
    own = replace(dataset, split=Split(kind, seed=3), groups=(np.arange(40, dtype=np.int32) // 3))  # type: ignore[arg-type]
    plain = Job.from_dict(json.loads(json.dumps(job(share(shelf, own), 2).to_dict())))
    seen, expected = opened(plain, shelf.arrays.__getitem__), own.training_data(2)
    assert seen.validation is not None
    assert expected.validation is not None
    np.testing.assert_array_equal(seen.validation.pixels, expected.validation.pixels)
    np.testing.assert_array_equal(seen.train.labels, expected.train.labels)


def test_test_images_are_given_without_their_labels_and_only_where_they_are_asked_for(dataset: Dataset) -> None:
    shelf = Shelf()
    searched = share(shelf, dataset)
    assert searched.test is None
    assert sorted(shelf.arrays) == ["there/mark-labels", "there/mark-pixels"]
    pixels = np.ones((5, 3, 2, 1), np.uint8)
    scored = share(shelf, dataset, test=("other", pixels))
    assert scored == replace(searched, test="there/other-test")
    assert sorted(shelf.arrays) == ["there/mark-labels", "there/mark-pixels", "there/other-test"]
    for fold in (0, None):
        data = opened(job(scored, fold), shelf.arrays.__getitem__)
        assert data.test is pixels
        assert data.nbytes == dataset.train.pixels.nbytes + pixels.nbytes


@pytest.mark.parametrize("state", [None, b"state"])
def test_a_job_is_the_same_job_after_a_journey_as_json(state: bytes | None, dataset: Dataset) -> None:
    import json

    there = replace(job(share(Shelf(), dataset), 3), floor=(2, 0.5), state=state, keep_states=True, keep_model=True)
    assert Job.from_dict(json.loads(json.dumps(there.to_dict())), state) == there
