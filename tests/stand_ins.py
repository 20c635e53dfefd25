"""Workers that start no processes."""

from __future__ import annotations

import abc
import hashlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tinysearch.data.dataset import TrainingData
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import EpochWatcher, Job, Outcome
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone, JobLost
from tinysearch.workers.threads import ThreadExecutor

# Who is the best among candidates like these, no single training can tell; see ``FakeWorker``.
ALIKE = {"apart": 0.04, "luck": 0.04}


class Trainer(abc.ABC):
    """Does jobs in threads of this process."""

    @abc.abstractmethod
    def do(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        """Return what came of a job on some data."""

    def executor(self, size: int = 1) -> ThreadExecutor:
        """Return the executor of so many threads."""
        return ThreadExecutor(self.do, size)


class Worker(Trainer):
    """Measures candidates without a look at the data."""

    @abc.abstractmethod
    def train(self, job: Job, on_epoch: EpochWatcher) -> Measurement:
        """Return what was measured."""

    def do(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        """Return what was measured, and no model."""
        return Outcome(self.train(job, on_epoch))


class InProcess(Trainer):
    """Trains in this process, one candidate at a time."""

    def __init__(self) -> None:
        self.jobs: list[Job] = []

    def do(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        from tinysearch.runtime.preparation import prepare_to_train

        prepare_to_train()
        from tinysearch.training.trainer import train

        self.jobs.append(job)
        return train(job, data, on_epoch)


class FakeWorker(Worker):
    """Gives each candidate a validation accuracy that is made of its key, without training; heeds floors.

    Args:
        react: Given the number of a job and the job, returns what is measured instead, or None.
        apart: The best and the worst accuracy there may be are so far apart, around one half.
        luck: So far apart are trainings of one candidate with different seeds.
    """

    def __init__(
        self,
        react: Callable[[int, Job], Measurement | None] | None = None,
        *,
        apart: float = 1.0,
        luck: float = 0.0,
    ) -> None:
        self.apart = apart
        self.luck = luck
        self.jobs: list[Job] = []
        self._react = react
        self._lock = threading.Lock()

    def train(self, job: Job, on_epoch: EpochWatcher) -> Measurement:
        with self._lock:
            number = len(self.jobs)
            self.jobs.append(job)
        reaction = self._react(number, job) if self._react else None
        if reaction is not None:
            return reaction
        key = job.candidate.key
        score = 0.5 + self.apart * (_share(key) - 0.5) + self.luck * (_share(f"{key} {job.seed}") - 0.5)
        values = [0.999, *(score for _ in range(2, job.candidate.recipe.epochs + 1))]
        if job.floor is not None and score < job.floor[1]:
            values = values[: job.floor[0]]
        points = [Epoch(1.0, 0.5, 1.0, value, 0.1, 1.0) for value in values]
        for number, point in enumerate(points, start=1):
            on_epoch(number, point, None)
        return Measurement(tuple(points), train_seconds=1.0)


def _share(text: str) -> float:
    """Return a number between 0 and 1 that is made of a text."""
    return int(hashlib.sha256(text.encode()).hexdigest()[:8], 16) / 2**32


class Untrained:
    """Trains nothing: scores are those of ``FakeWorker``, models have their first weights."""

    def __init__(self, **scores: float) -> None:
        self._fake = FakeWorker(**scores)
        self._lock = threading.Lock()

    def train_on(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        measurement = self._fake.train(job, on_epoch)
        if data.validation is None:
            curve = (replace(point, val_loss=None, val_accuracy=None) for point in measurement.curve)
            measurement = replace(measurement, curve=tuple(curve))
        if not job.keep_model:
            return Outcome(measurement)
        # Keras builds one model at a time.
        with self._lock:
            from tinysearch.space.keras_builder import build
            from tinysearch.training.predictions import with_predictions
            from tinysearch.training.saving import saved

            model = saved(build(job.candidate.architecture, data.task, scale=1 / data.full_scale))
            if data.test is not None:
                measurement = with_predictions(measurement, model, data.test)
        return Outcome(measurement, model)


class UntrainedWorker(Trainer):
    """Gives what ``Untrained`` gives, and remembers its jobs."""

    def __init__(self, **scores: float) -> None:
        self.jobs: list[Job] = []
        self._untrained = Untrained(**scores)

    def do(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        self.jobs.append(job)
        return self._untrained.train_on(job, data, on_epoch)


class Here(ThreadExecutor):
    """Stands for the processes of this machine."""

    train_on: Any = None

    def __init__(self, workers: int = 1, **options: Any) -> None:
        super().__init__(type(self).train_on, workers)


_POINT = Epoch(1.0, 0.5, 1.0, 0.75, 0.1, 1.0)


class Unreliable(Executor):
    """Does a job at once, unless the machine that has it goes away.

    Args:
        lost: How many of the first submissions are lost.
    """

    capacity = 2

    def __init__(self, lost: int) -> None:
        self.lost = lost
        self.jobs: list[Job] = []
        self.cancelled: list[Handle] = []
        self._events: deque[Event] = deque()

    def submit(self, job: Job) -> Handle:
        self.jobs.append(job)
        handle = len(self.jobs)
        is_lost = handle <= self.lost
        end = JobLost(handle, "the node went away") if is_lost else JobDone(handle, Outcome(Measurement((_POINT,))))
        # What is sent over a network may come twice.
        self._events.extend((EpochDone(handle, 1, _POINT), end, end))
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        return self._events.popleft() if self._events else None

    def cancel(self, handle: Handle) -> None:
        self.cancelled.append(handle)

    def close(self) -> None:
        pass

    def share(self, name: str, array: Any) -> str:
        return name
