"""Workers that start no processes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tinysearch.data.dataset import TrainingData
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import EpochWatcher, Job
from tinysearch.workers.worker import Worker


class InProcess(Worker):
    """Trains in this process, one candidate at a time."""

    def __init__(self, data: TrainingData) -> None:
        self.data = data
        self.jobs: list[Job] = []

    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        from tinysearch.runtime.preparation import prepare_to_train

        prepare_to_train()
        from tinysearch.training.trainer import train

        self.jobs.append(job)
        return train(job, self.data, on_epoch)


class FakeWorker(Worker):
    """Gives each candidate a validation accuracy that is made of its key, without training; heeds floors."""

    def __init__(self, react: Callable[[int, Job], Measurement | None] | None = None) -> None:
        self.jobs: list[Job] = []
        self._react = react
        self._lock = threading.Lock()

    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        with self._lock:
            number = len(self.jobs)
            self.jobs.append(job)
        reaction = self._react(number, job) if self._react else None
        if reaction is not None:
            return reaction
        score = int(hashlib.sha256(job.candidate.key.encode()).hexdigest()[:8], 16) / 2**32
        values = [0.999, *(score for _ in range(2, job.candidate.recipe.epochs + 1))]
        if job.floor is not None and score < job.floor[1]:
            values = values[: job.floor[0]]
        points = [Epoch(1.0, 0.5, 1.0, value, 0.1, 1.0) for value in values]
        for number, point in enumerate(points, start=1):
            if on_epoch is not None:
                on_epoch(number, point)
        return Measurement(tuple(points), train_seconds=1.0)


class Untrained:
    """Trains nothing: scores are those of ``FakeWorker``, models have their first weights."""

    def __init__(self) -> None:
        self._fake = FakeWorker()
        self._lock = threading.Lock()

    def train_on(self, data: TrainingData, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        measurement = self._fake.train(job, on_epoch)
        if data.validation is None:
            curve = (replace(point, val_loss=None, val_accuracy=None) for point in measurement.curve)
            measurement = replace(measurement, curve=tuple(curve))
        if job.model_path is not None:
            # Keras builds one model at a time.
            with self._lock:
                self._save(job, data, job.model_path)
                if data.test is not None:
                    from tinysearch.training.saving import with_predictions

                    return with_predictions(measurement, job.model_path, data.test)
        return measurement

    def _save(self, job: Job, data: TrainingData, path: Path) -> None:
        from tinysearch.space.keras_builder import build
        from tinysearch.training.saving import save_model

        save_model(build(job.candidate.architecture, data.task, scale=1 / data.full_scale), path)


class UntrainedWorker(Worker):
    """Gives what ``Untrained`` gives, and remembers its jobs."""

    def __init__(self, data: TrainingData) -> None:
        self.data = data
        self.jobs: list[Job] = []
        self._untrained = Untrained()

    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        self.jobs.append(job)
        return self._untrained.train_on(self.data, job, on_epoch)
