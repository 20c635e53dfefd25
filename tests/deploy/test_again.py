from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from stand_ins import Unreliable

from tinysearch.data.dataset import Dataset
from tinysearch.deploy import again
from tinysearch.deploy.again import trained_again
from tinysearch.errors import TrainingError
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

CANDIDATE = Candidate(Architecture((Conv(2, norm="before"),), Head("average")), dataclasses.replace(Recipe(), epochs=1))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_network_and_this_process_stays_as_it_is(dataset: Dataset) -> None:
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = (trained_again(CANDIDATE, dataset, seed=1) for _ in range(2))
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert first.predict(dataset.test().pixels.astype(np.float32), verbose=0).shape == (30, 10)


@pytest.mark.slow
def test_a_training_that_fails_says_why(dataset: Dataset) -> None:
    hopeless = Candidate(Architecture((Conv(1, kernel=11, padding="valid"),) * 3), CANDIDATE.recipe)
    with pytest.raises(TrainingError, match=r"could not be trained again: .*window must not be larger than the image"):
        trained_again(hopeless, dataset)


def test_a_worker_that_is_lost_again_and_again_is_not_waited_for_without_end(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(again, "LocalExecutor", lambda workers: Unreliable(lost=3))
    with pytest.raises(TrainingError, match="could not be trained again: the node went away, 3 times"):
        trained_again(CANDIDATE, dataset)


@pytest.mark.parametrize("given", [None, 3])
def test_it_has_the_threads_that_are_given_or_those_of_the_executor(
    given: int | None, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    executor = Unreliable(lost=0)
    monkeypatch.setattr(executor, "threads_per_job", lambda: 2)
    monkeypatch.setattr(again, "LocalExecutor", lambda workers: executor)
    with pytest.raises(TrainingError, match="no room to save it"):
        trained_again(CANDIDATE, dataset, threads=given)
    assert [job.resources.threads for job in executor.jobs] == [given or 2]
