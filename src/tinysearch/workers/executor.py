"""The seam between the search and whatever trains its candidates: local processes, a cluster, a stand-in.

An executor of one's own is a subclass of ``Executor``; ``tinysearch.testing.check_executor`` tests what the search
expects of it.
"""

from __future__ import annotations

import abc
from collections.abc import Hashable
from dataclasses import dataclass
from types import TracebackType

import numpy as np
import numpy.typing as npt

from tinysearch.results.record import Epoch
from tinysearch.runtime.environment import Environment
from tinysearch.training.job import Job, Outcome, Resources

Handle = Hashable


@dataclass(frozen=True, slots=True)
class EpochDone:
    """A job has finished an epoch, counted from 1; ``state`` is what the job goes on from after it, if it is kept."""

    handle: Handle
    number: int
    epoch: Epoch
    state: bytes | None = None


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job is done. A candidate that could not be trained is done too: its measurement has the failure."""

    handle: Handle
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class JobLost:
    """Nothing more will be heard of a job, and that is not its own fault: it may be submitted again."""

    handle: Handle
    reason: str


Event = EpochDone | JobDone | JobLost


class Executor(abc.ABC):
    """Carries out jobs, several at a time. It is used by one thread.

    Every job that is submitted and not cancelled comes to one end, ``JobDone`` or ``JobLost``. Events of one job come
    in their order; between jobs there is none. What comes twice, or of a job that was cancelled, is ignored by the
    search.
    """

    @property
    @abc.abstractmethod
    def capacity(self) -> int:
        """How many jobs there can be at a time, at least 1; it may change as machines come and go."""

    @abc.abstractmethod
    def submit(self, job: Job) -> Handle:
        """Begin a job; return at once with what tells it apart from all others."""

    @abc.abstractmethod
    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event.

        Args:
            timeout: Seconds after which None is returned; 0 for what has happened already; None for no limit.

        Raises:
            CostMismatchError: if Keras and the arithmetic disagree, which no other candidate can fix.
            WorkerError: if nothing can be trained here, whatever the candidate.
        """

    @abc.abstractmethod
    def cancel(self, handle: Handle) -> None:
        """End a job at once. Does nothing if it is over."""

    @abc.abstractmethod
    def close(self) -> None:
        """End all jobs, and free what is held. A closed executor is of no more use; closing twice does nothing."""

    @abc.abstractmethod
    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Make an array available to all jobs, once, however many there are.

        Args:
            name: Tells the array apart from all others; of arrays with one name only the first is looked at.
            array: Of any shape and type.

        Returns:
            How workers find it, for a ``DataReference``.
        """

    def threads_per_job(self) -> int:
        """Return how many threads a job has unless told otherwise; the last digits of its numbers depend on them."""
        return 1

    def environment(self, resources: Resources) -> Environment:
        """Return where jobs with some resources run, which may wait for a worker; an unknown one if that is not known.

        Results of other runs are reused if they were trained in an equal one.
        """
        return Environment.here(resources.threads)

    def expected_environment(self, resources: Resources) -> Environment:
        """Return where jobs probably run, without waiting for a worker: for forecasts of how long they take."""
        return self.environment(resources)

    def prepare(self, count: int, resources: Resources) -> None:  # noqa: B027
        """Get ready for ``count`` jobs at a time, where that takes a while."""

    def note(self, images: int, resources: Resources) -> str | None:
        """Return what is worth knowing before jobs on so many bytes of images are submitted, in a sentence."""
        return None

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
