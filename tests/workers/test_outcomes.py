"""Jobs come to their ends in front of an executor that loses what it has."""

from __future__ import annotations

import time
from dataclasses import replace

from stand_ins import Unreliable

from tinysearch.space.architecture import Architecture, Conv
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.outcomes import outcomes

CANDIDATE = Candidate(Architecture((Conv(4),)), Recipe())
JOB = Job(CANDIDATE, 0, DataReference("pixels", "labels", "mark", (28, 28, 1), 10, 255.0))


def test_lost_jobs_are_submitted_again_and_each_comes_to_one_end() -> None:
    executor, jobs = Unreliable(lost=3), [replace(JOB, seed=seed) for seed in range(5)]
    found = dict(outcomes(executor, jobs))
    assert sorted(found) == [0, 1, 2, 3, 4]
    assert all(one.measurement.val_accuracy == 0.75 for one in found.values())
    assert len(executor.jobs) == 8
    assert executor.cancelled == []


def test_a_job_that_is_lost_again_and_again_is_a_failure_with_the_reason() -> None:
    executor = Unreliable(lost=3)
    ((position, outcome),) = outcomes(executor, [JOB])
    assert (position, outcome.measurement.failure) == (0, "the node went away, 3 times")
    assert executor.jobs == [JOB] * 3


def test_what_is_left_when_the_time_is_up_or_nobody_asks_any_more_is_cancelled() -> None:
    executor = Unreliable(lost=0)
    assert list(outcomes(executor, [JOB], until=time.monotonic())) == []
    assert executor.jobs == []
    executor.submit = lambda job: "silent"  # type: ignore[method-assign]
    assert list(outcomes(executor, [JOB], until=time.monotonic() + 0.01)) == []
    assert executor.cancelled == ["silent"]
    executor = Unreliable(lost=0)
    found = outcomes(executor, [JOB] * 3)
    assert next(found)[0] == 0
    found.close()  # type: ignore[attr-defined]
    assert executor.cancelled == [2]
