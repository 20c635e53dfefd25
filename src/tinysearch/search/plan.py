"""The interface between the coordinator and the trainings of each stage."""

from __future__ import annotations

import abc
from collections.abc import Mapping, Sequence
from pathlib import Path

from tinysearch.results.lock import RunLock
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Record
from tinysearch.results.training import Training
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job, Outcome
from tinysearch.training.recipe import Recipe


class Plan(abc.ABC):
    """Base class of plans, which decide what is trained next and how each training is recorded.

    The coordinator requests trainings as long as the executor has room, stores their records, and then notifies the
    plan. All methods are called by one thread.
    """

    locks: Sequence[RunLock] = ()

    @abc.abstractmethod
    def next(self) -> Training | None:
        """Return the next training, or None if there is none for now. It is called again after each record."""

    @abc.abstractmethod
    def known(self, training: Training) -> Record | None:
        """Return an existing record to use instead of a training, or None. The coordinator stores it if it is new."""

    @abc.abstractmethod
    def job(self, training: Training) -> Job:
        """Return the job of a training, without a state to resume from."""

    @abc.abstractmethod
    def recorded(self, training: Training, outcome: Outcome) -> tuple[Record, Predictions | None]:
        """Return the record of a finished training, and the predictions of its network on test images, or None."""

    @abc.abstractmethod
    def checkpoint(self, training: Training) -> Path | None:
        """Return the path at which the state of a training is saved; None if it is not saved."""

    @abc.abstractmethod
    def finished(self, training: Training, record: Record, model: bytes | None) -> None:
        """Receive a record after it was stored, with the trained model if there is one."""

    @property
    def rejections(self) -> Mapping[str, int]:
        """Number of candidates that the filter has rejected so far, by reason."""
        return {}


def candidate_of(training: Training) -> Candidate:
    """Return the candidate of a training."""
    return Candidate(training.architecture, Recipe.from_dict(training.recipe))
