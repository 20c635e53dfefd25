"""The contract of executors, as a test that any executor can be put to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from tinysearch.errors import WorkerError
from tinysearch.runtime.environment import Environment
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone, JobLost

# Seconds that a tiny training may take at most, its process and all it loads included.
PATIENCE = 300.0


def check_executor(make: Callable[[], Executor]) -> None:
    """Check that an executor keeps its contract, by trainings of tiny networks on 200 made-up images.

    Args:
        make: Makes an executor, which the check closes; called several times.

    Raises:
        AssertionError: if something is not as ``Executor`` says.
    """
    for check in (_trains, _goes_on, _cancels, _tells_failures, _keeps_parts_apart, _closes):
        with make() as executor:
            check(executor)


def _trains(executor: Executor) -> None:
    _require(executor.capacity >= 1, f"capacity is at least 1, got {executor.capacity}")
    jobs = [_job(executor, seed, keep_states=True, keep_model=True) for seed in range(executor.capacity + 1)]
    handles = [executor.submit(job) for job in jobs]
    _require(len(set(handles)) == len(handles), "two jobs have the same handle")
    events = _until_done(executor, handles)
    for handle, job in zip(handles, jobs, strict=True):
        own = [event for event in events if event.handle == handle]
        done = own[-1]
        if not isinstance(done, JobDone):
            raise AssertionError(f"the last event of a job is JobDone, got {done}")
        _require(
            [event.number for event in own[:-1] if isinstance(event, EpochDone)] == [1, 2],
            "a job of two epochs tells both, in their order, before it is done",
        )
        outcome = done.outcome
        _require(outcome.measurement.failure is None, f"a tiny training failed: {outcome.measurement.failure}")
        _require(len(outcome.measurement.curve) == job.candidate.recipe.epochs, "the curve has a point for each epoch")
        _require(outcome.model, "a model that was asked for comes with the outcome")
        _require(isinstance(outcome.environment, Environment), "the outcome says where it was trained")
        states = [event.state for event in own if isinstance(event, EpochDone)]
        _require(states[0] and states[-1] is None, "a state that was asked for comes with each epoch but the last")
    again = executor.submit(jobs[0])
    _require(
        _curve(_until_done(executor, [again])) == _curve([one for one in events if one.handle == handles[0]]),
        "the same job gives the same numbers",
    )


def _goes_on(executor: Executor) -> None:
    whole = executor.submit(_job(executor, 0, keep_states=True))
    events = _until_done(executor, [whole])
    state = next(event.state for event in events if isinstance(event, EpochDone))
    part = executor.submit(_job(executor, 0, state=state))
    rest = _until_done(executor, [part])
    _require(
        [event.number for event in rest if isinstance(event, EpochDone)] == [2],
        "a job with a state goes on after the epoch of the state",
    )
    _require(_curve(rest) == _curve(events), "a job that goes on gives the numbers of one that was not interrupted")


def _cancels(executor: Executor) -> None:
    handle = executor.submit(_job(executor, 0, epochs=10_000))
    _next(executor, handle)
    executor.cancel(handle)
    executor.cancel(handle)
    executor.cancel("no handle at all")
    other = executor.submit(_job(executor, 1))
    events = _until_done(executor, [other])
    _require(
        not any(event.handle == handle and isinstance(event, JobDone) for event in events),
        "a job of 10,000 epochs was done although it was cancelled",
    )


def _tells_failures(executor: Executor) -> None:
    # On images of 12x12 pixels there is no place for it.
    too_large = Candidate(Architecture((Conv(2, kernel=(25, 25), padding="valid"),), Head("average")), Recipe(epochs=2))
    handle = executor.submit(Job(too_large, 0, _data(executor)))
    (done,) = (event for event in _until_done(executor, [handle]) if isinstance(event, JobDone))
    _require(done.outcome.measurement.failure, "a candidate that cannot be trained is done, with its failure")


def _keeps_parts_apart(executor: Executor) -> None:
    handles = [executor.submit(_job(executor, 0, fold=fold)) for fold in (0, 3, None)]
    events = _until_done(executor, handles)
    curves = [_curve([event for event in events if event.handle == handle]) for handle in handles]
    _require(curves[0] != curves[1], "another fold gives other numbers")
    _require(all(point[2] is None for point in curves[2]), "a training on all images has no validation accuracy")


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


def _next(executor: Executor, handle: Handle) -> Event:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        event = executor.wait(1.0)
        if event is not None and event.handle == handle:
            return _not_lost(event)
    raise AssertionError(f"nothing was heard of a job for {PATIENCE:.0f} seconds")


def _until_done(executor: Executor, handles: list[Handle]) -> list[Event]:
    """Return all events of some jobs, until all of them are done."""
    events: list[Event] = []
    waiting = set(handles)
    until = time.monotonic() + PATIENCE
    while waiting:
        _require(time.monotonic() < until, f"{len(waiting)} jobs were not done after {PATIENCE:.0f} seconds")
        event = executor.wait(1.0)
        if event is None:
            continue
        events.append(_not_lost(event))
        if isinstance(event, JobDone):
            waiting.discard(event.handle)
    return events


def _not_lost(event: Event) -> Event:
    if isinstance(event, JobLost):
        raise AssertionError(f"a job was lost: {event.reason}")
    return event


def _curve(events: list[Event]) -> list[tuple[float, float, float | None]]:
    (done,) = (event for event in events if isinstance(event, JobDone))
    return [(point.loss, point.accuracy, point.val_accuracy) for point in done.outcome.measurement.curve]
