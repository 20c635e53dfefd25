"""Retrainings of candidates that a search has trained: several at a time, each stored as soon as it is done."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinysearch.results.lock import RunLock
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Epoch, Measurement, Origin, Record
from tinysearch.results.store import Store
from tinysearch.runtime.interrupts import Interrupts
from tinysearch.search.waiting import next_done
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.workers.executor import Executor
from tinysearch.workers.worker import Worker


@dataclass(frozen=True, slots=True)
class Retraining:
    """One training to do.

    Args:
        candidate: What to train, and how.
        seed: Seed of the training.
        run, name, origin: Go into the record.
    """

    candidate: Candidate
    seed: int
    run: str
    name: str
    origin: Origin


class RetrainingWatcher:
    """Is notified of what happens, and ignores it."""

    def on_start(self, position: int, retraining: Retraining) -> None:
        """Take note that a training begins."""

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None:
        """Take note that an epoch is over."""

    def on_record(self, position: int, record: Record) -> None:
        """Take note of a result, which may have been known before."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds retrainings.

    Args:
        until: When they end at the latest, on the clock of ``time.monotonic``; None for no limit.
        held: The lock of a run that the caller holds already; None for no run.
    """

    until: float | None = None
    held: RunLock | None = None


class TimeIsUpError(Exception):
    """The time limit has come before all trainings were done; what was finished is stored."""


def retrain(
    store: Store,
    planned: Sequence[Retraining],
    known: Callable[[Retraining], Record | None],
    job: Callable[[Retraining], Job],
    recorded: Callable[[Retraining, Measurement], tuple[Record, Predictions | None]],
    worker: Worker,
    size: int,
    watcher: RetrainingWatcher,
    limits: Limits | None = None,
) -> list[Record]:
    """Train what is not known; return all records, as they were planned.

    What is finished is stored, however it ends.

    Args:
        store: Takes the records.
        planned: What to train.
        known: Returns the record of a training that was done before; called with the lock of its run held.
        job: Makes a training ready.
        recorded: Makes the record of a training that is done, and what its network predicted on test images.
        worker: Closed at the end.
        size: How many trainings at a time.
        watcher: Is notified of what happens.
        limits: What bounds them; None for nothing.

    Raises:
        RunError: if a run is being carried out by another process.
        StoreWriteError: if a record cannot be stored.
        TimeIsUpError: if the time limit comes.
    """
    limits = limits or Limits()
    records: dict[int, Record] = {}
    interrupts = Interrupts()
    with contextlib.ExitStack() as stack:
        stack.callback(worker.close)
        locks = [] if limits.held is None else [limits.held]
        for run in sorted({one.run for one in planned} - {lock.run for lock in locks}):
            locks.append(RunLock(store.folder_of(run), run))
            stack.callback(locks[-1].release)
        waiting: list[int] = []
        for position, one in enumerate(planned):
            found = known(one)
            if found is None:
                waiting.append(position)
            else:
                records[position] = found
                watcher.on_record(position, found)
        stack.enter_context(interrupts)
        executor = stack.enter_context(Executor(worker, size, watcher.on_epoch))
        jobs: dict[int, Job] = {}

        def begin() -> None:
            position = waiting.pop(0)
            watcher.on_start(position, planned[position])
            jobs[position] = job(planned[position])
            executor.start(position, jobs[position])

        def keep(position: int, measurement: Measurement) -> None:
            record, predictions = recorded(planned[position], measurement)
            with interrupts.deferred():
                store.append(record, predictions)
                executor.forget(position)
            records[position] = record
            checkpoint = jobs.pop(position).checkpoint_path
            if checkpoint is not None:
                with contextlib.suppress(OSError):
                    checkpoint.unlink(missing_ok=True)
            watcher.on_record(position, record)

        try:
            while waiting and executor.busy < size:
                begin()
            while executor.busy:
                done = next_done(executor, limits.until, locks)
                if done is None:
                    raise TimeIsUpError
                if waiting:
                    begin()
                keep(*done)
        except BaseException:
            for position, measurement in executor.finished().items():
                # What ends it is the error to be seen, whatever becomes of these.
                with contextlib.suppress(Exception):
                    keep(position, measurement)
            raise
    return [records[position] for position in range(len(planned))]
