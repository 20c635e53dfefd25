"""What is to be trained: the interface between the coordinator and each kind of work that it carries out."""

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
    """Decides what is trained next, and what becomes of it.

    The coordinator asks for trainings as long as there is room for another, stores what comes of them, and then tells
    the plan. All methods are called by one thread.
    """

    locks: Sequence[RunLock] = ()

    @abc.abstractmethod
    def next(self) -> Training | None:
        """Return what is to be trained next; None if there is nothing now. It is asked again after each record."""

    @abc.abstractmethod
    def known(self, training: Training) -> Record | None:
        """Return the record of a training that need not be done; None if it must be. It is stored if it is not yet."""

    @abc.abstractmethod
    def job(self, training: Training) -> Job:
        """Return the job of a training, without a state to go on from."""

    @abc.abstractmethod
    def recorded(self, training: Training, outcome: Outcome) -> tuple[Record, Predictions | None]:
        """Return the record of a training that is done, and what its network predicted on test images."""

    @abc.abstractmethod
    def checkpoint(self, training: Training) -> Path | None:
        """Return where the state of a training is kept; None if it is not."""

    @abc.abstractmethod
    def finished(self, training: Training, record: Record, model: bytes | None) -> None:
        """Take note of a record that is stored, with the trained model if there is one."""

    @property
    def rejections(self) -> Mapping[str, int]:
        """What the filter has rejected so far, by reason."""
        return {}


def candidate_of(training: Training) -> Candidate:
    """Return the candidate of a training."""
    return Candidate(training.architecture, Recipe.from_dict(training.recipe))
