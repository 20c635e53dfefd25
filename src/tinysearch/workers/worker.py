"""The seam between the search and whatever trains its candidates."""

from __future__ import annotations

import abc

from tinysearch.results.record import Measurement
from tinysearch.runtime.environment import Environment
from tinysearch.training.job import EpochWatcher, Job


class Worker(abc.ABC):
    """Trains candidates on data that it was given once.

    ``train`` is called by as many threads at a time as the run has workers.
    """

    def prepare(self, count: int) -> None:  # noqa: B027
        """Get ready for ``count`` trainings at a time, where that takes a while."""

    @abc.abstractmethod
    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        """Train one candidate and return when it is done.

        A candidate that cannot be trained gives a measurement with a failure, not an exception.

        Raises:
            CostMismatchError: if Keras and the arithmetic disagree, which no other candidate can fix.
            WorkerError: if nothing can be trained here, whatever the candidate.
        """

    def note(self, count: int) -> str | None:
        """Return what is worth knowing before ``count`` trainings at a time are begun, in a sentence; None if nothing.

        It is asked before ``prepare``.
        """
        return None

    def environment(self) -> Environment:
        """Return where trainings run."""
        return Environment.here()

    def close(self) -> None:  # noqa: B027
        """End all trainings at once; calls of ``train`` that are under way raise ``WorkerError``."""
