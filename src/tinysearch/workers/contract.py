"""A conformance test for executors."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinysearch.errors import WorkerError
from tinysearch.runtime.environment import Environment
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job, Outcome
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import EpochDone, Executor, Handle, JobDone

# Maximum seconds for a tiny training, including the start of its process and its imports.
PATIENCE = 300.0


def check_executor(make: Callable[[], Executor]) -> None:
    """Check that an executor keeps the contract of ``Executor``, by training tiny networks on 200 synthetic images.

    Args:
        make: Returns a new executor, which the check closes; called several times.

    Raises:
        AssertionError: if the executor breaks the contract.
    """
    for check in (_trains, _goes_on, _cancels, _tells_failures, _keeps_parts_apart, _closes):
        with make() as executor:
            check(executor)


def _trains(executor: Executor) -> None:
    _require(executor.capacity >= 1, f"capacity is at least 1, got {executor.capacity}")
    threads = executor.threads_per_job()
    _require(threads >= 1, f"a job has at least 1 thread, got {threads}")
    jobs = [_job(executor, seed, keep_states=True, keep_model=True) for seed in range(executor.capacity + 1)]
    done = _done(executor, jobs)
    for events, outcome in done:
        numbers = [event.number for event in events]
        _require(numbers == [1, 2], f"a job of two epochs reports both, in order, before it is done; got {numbers}")
        _require(outcome.measurement.failure is None, f"a tiny training failed: {outcome.measurement.failure}")
        _require(len(outcome.measurement.curve) == 2, "the curve has a point for each epoch")
        _require(outcome.model, "the outcome contains a model if the job has keep_model")
        _require(isinstance(outcome.environment, Environment), "the outcome contains the environment of the training")
        states = [event.state for event in events]
        _require(states[0] and states[-1] is None, "each epoch but the last has a state if the job has keep_states")
    ((_, again),) = _done(executor, jobs[:1])
    _require(_curve(again) == _curve(done[0][1]), "the same job gives the same numbers")


def _goes_on(executor: Executor) -> None:
    ((events, whole),) = _done(executor, [_job(executor, 0, keep_states=True)])
    ((rest, part),) = _done(executor, [_job(executor, 0, state=events[0].state)])
    _require([event.number for event in rest] == [2], "a job with a state resumes after the epoch of the state")
    _require(_curve(part) == _curve(whole), "a resumed job gives the same numbers as an uninterrupted one")


def _cancels(executor: Executor) -> None:
    handle = executor.submit(_job(executor, 0, epochs=10_000))
    until = time.monotonic() + PATIENCE
    while (event := executor.wait(1.0)) is None or event.handle != handle:
        _require(time.monotonic() < until, f"a job had no event for {PATIENCE:.0f} seconds")
    for one in (handle, handle, "no handle at all"):
        executor.cancel(one)
    _done(executor, [_job(executor, 1)], cancelled=handle)


def _tells_failures(executor: Executor) -> None:
    # The first layer reduces images of 12x12 pixels to 2x2, which is too small for the second.
    layer = Conv(2, kernel=(11, 11), padding="valid")
    too_large = Candidate(Architecture((layer, layer), Head("average")), Recipe(epochs=2))
    ((_, outcome),) = _done(executor, [Job(too_large, 0, _data(executor))])
    _require(outcome.measurement.failure, "the outcome of a candidate that cannot be trained contains its failure")


def _keeps_parts_apart(executor: Executor) -> None:
    folds = [_curve(outcome) for _, outcome in _done(executor, [_job(executor, 0, fold=fold) for fold in (0, 3, None)])]
    _require(folds[0] != folds[1], "another fold gives other numbers")
    _require(
        all(point[2] is None for point in folds[2]), "a training on all images, fold None, has no validation accuracy"
    )


def _closes(executor: Executor) -> None:
    executor.submit(_job(executor, 0, epochs=10_000))
    executor.close()
    executor.close()
    try:
        executor.submit(_job(executor, 0))
    except WorkerError:
        return
    raise AssertionError("a closed executor raises WorkerError for a job")


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)


def _data(executor: Executor) -> DataReference:
    rng = np.random.default_rng(0)
    labels = (np.arange(200) % 2).astype(np.int32)
    pixels = rng.integers(0, 120, (200, 12, 12, 1)).astype(np.uint8)
    pixels[labels == 1, :6] += 100
    return DataReference(
        executor.share("check-pixels", pixels), executor.share("check-labels", labels), "check", (12, 12, 1), 2, 255.0
    )


def _job(executor: Executor, seed: int, *, epochs: int = 2, **options: Any) -> Job:
    network = Architecture((Conv(2, kernel=(3, 3)),), Head("average"))
    how = Recipe(epochs=epochs, rotation_degrees=0.0, shift_pixels=0.0)
    return Job(Candidate(network, how), seed, _data(executor), **options)


def _done(
    executor: Executor, jobs: list[Job], cancelled: Handle | None = None
) -> list[tuple[list[EpochDone], Outcome]]:
    """Run jobs; return the epochs and the outcome of each. Resubmit jobs that are lost."""
    numbers: dict[Handle, int] = {}
    epochs: list[list[EpochDone]] = [[] for _ in jobs]
    outcomes: dict[int, Outcome] = {}
    for number, job in enumerate(jobs):
        handle = executor.submit(job)
        _require(handle not in numbers, f"two jobs have the same handle {handle!r}")
        numbers[handle] = number
    until = time.monotonic() + PATIENCE
    while len(outcomes) < len(jobs):
        _require(time.monotonic() < until, f"jobs were not done after {PATIENCE:.0f} seconds")
        event = executor.wait(1.0)
        if event is None:
            continue
        is_done = isinstance(event, JobDone)
        _require(not (is_done and event.handle == cancelled), "a job that was cancelled was done")
        known = numbers.get(event.handle)
        if known is None or known in outcomes:
            continue
        if isinstance(event, JobDone):
            outcomes[known] = event.outcome
        elif isinstance(event, EpochDone):
            epochs[known].append(event)
        else:
            del numbers[event.handle]
            epochs[known] = []
            numbers[executor.submit(jobs[known])] = known
    return [(_once(events), outcomes[number]) for number, events in enumerate(epochs)]


def _once(events: list[EpochDone]) -> list[EpochDone]:
    """Return the events without duplicates."""
    return [event for place, event in enumerate(events) if event not in events[:place]]


def _curve(outcome: Outcome) -> list[tuple[float, float, float | None]]:
    return [(point.loss, point.accuracy, point.val_accuracy) for point in outcome.measurement.curve]
