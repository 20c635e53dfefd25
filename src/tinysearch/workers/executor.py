"""The interface between the search and the executors that train its candidates, and the events of jobs.

Executors are local processes, a cluster, or a stand-in for tests. A custom executor is a subclass of ``Executor``;
``tinysearch.testing.check_executor`` tests it.
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
    """A job has finished an epoch.

    Args:
        handle: The job.
        number: Number of the epoch, from 1.
        epoch: Results of the epoch.
        state: Training state from which the job can resume after this epoch; None if states are not kept.
    """

    handle: Handle
    number: int
    epoch: Epoch
    state: bytes | None = None


@dataclass(frozen=True, slots=True)
class JobDone:
    """A job has finished. If the candidate could not be trained, its measurement contains the failure."""

    handle: Handle
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class JobLost:
    """A job was lost through no fault of its own: no more events of it follow, and it may be submitted again."""

    handle: Handle
    reason: str


Event = EpochDone | JobDone | JobLost


class Executor(abc.ABC):
    """Interface of executors, which run several jobs at a time. Only one thread uses an executor.

    Every job that is submitted and not cancelled ends with one event, ``JobDone`` or ``JobLost``. Events of one job
    come in order; events of different jobs in any order. The search ignores repeated events and events of cancelled
    jobs.
    """

    @property
    @abc.abstractmethod
    def capacity(self) -> int:
        """Maximum number of jobs at a time, at least 1; it may change as machines join and leave."""

    @abc.abstractmethod
    def submit(self, job: Job) -> Handle:
        """Begin a job; return a unique handle at once."""

    @abc.abstractmethod
    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event.

        Args:
            timeout: Seconds after which None is returned; 0 to return only an event that has already happened; None for
                no limit.

        Raises:
            CostMismatchError: if Keras and the computed costs disagree, which no other candidate would fix.
            WorkerError: if the executor cannot train any candidate.
        """

    @abc.abstractmethod
    def cancel(self, handle: Handle) -> None:
        """End a job at once. Do nothing if it has already ended."""

    @abc.abstractmethod
    def close(self) -> None:
        """End all jobs and free all resources. A closed executor takes no more jobs; closing it again does nothing."""

    @abc.abstractmethod
    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Make an array available to all jobs.

        Args:
            name: Unique name of the array; further arrays with the same name are ignored.
            array: An array of any shape and type.

        Returns:
            The reference by which workers find the array, for a ``DataReference``.
        """

    def threads_per_job(self) -> int:
        """Return the default number of threads per job; the last digits of the results depend on it."""
        return 1

    def environment(self, resources: Resources) -> Environment:
        """Return the environment in which jobs with these resources run, or an unknown one. May wait for a worker.

        Results of other runs are reused if they were trained in an equal environment.
        """
        return Environment.here(resources.threads)

    def expected_environment(self, resources: Resources) -> Environment:
        """Return the probable environment of jobs without waiting for a worker, for forecasts of training times."""
        return self.environment(resources)

    def prepare(self, count: int, resources: Resources) -> None:  # noqa: B027
        """Start preparing for ``count`` jobs at a time, if that takes a while."""

    def note(self, images: int, resources: Resources) -> str | None:
        """Return a note for the user before jobs are submitted, such as about a lack of memory; None if all is well.

        Args:
            images: Bytes of the images that jobs use.
            resources: Resources of each job.
        """
        return None

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
