"""Where a candidate is trained."""

from __future__ import annotations

import abc
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tinysearch.errors import ShapeError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import TrainingData
from tinysearch.search.quiet import load_tensorflow

EpochWatcher = Callable[[int, Epoch], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One training to do. Plain values only, so that it can be sent anywhere.

    Args:
        candidate: What to train, and how.
        seed: Seed of the training.
        model_path: Where to save the trained model, or None.
    """

    candidate: Candidate
    seed: int
    model_path: Path | None = None


class Worker(abc.ABC):
    """Trains candidates on data that it was given once."""

    @abc.abstractmethod
    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        """Train one candidate.

        A candidate that cannot be trained gives a measurement with a failure, not an exception.

        Raises:
            CostMismatchError: if Keras and the arithmetic disagree, which no other candidate can mend.
        """


class InProcessWorker(Worker):
    """Trains in this process; TensorFlow is loaded with the first job.

    Args:
        data: Training and validation images, a ``TrainingData``.
    """

    def __init__(self, data: TrainingData) -> None:
        self._data = data

    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        """Train one candidate in this process."""
        load_tensorflow()
        import tensorflow as tf

        from tinysearch.search.training import fit, save_model

        try:
            model, measurement = fit(job.candidate, self._data, job.seed, on_epoch)
        except (ShapeError, tf.errors.OpError, ValueError, MemoryError) as error:
            return Measurement(failure=f"{type(error).__name__}: {error}")
        if job.model_path is not None and measurement.failure is None:
            # A model can be made again; that there is no place for it must not cost the measurement.
            with contextlib.suppress(OSError):
                save_model(model, job.model_path)
        return measurement
