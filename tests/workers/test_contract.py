"""The contract that executors are tested by holds for ours, and finds what is wrong with others."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from stand_ins import InProcess

from tinysearch.data.dataset import TrainingData
from tinysearch.errors import TinySearchError, WorkerError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.runtime.environment import Environment
from tinysearch.testing import ThreadExecutor, check_executor
from tinysearch.training.job import EpochWatcher, Job, Outcome
from tinysearch.workers import contract
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone, JobLost
from tinysearch.workers.local.executor import LocalExecutor


class Stand(Executor):
    """An executor that keeps the contract without training: all of a job has happened once it is submitted."""

    capacity = 2

    def __init__(self) -> None:
        self.events: deque[Event] = deque()
        self.count = 0
        self.closed = False

    def submit(self, job: Job) -> Handle:
        if self.closed:
            raise WorkerError("closed")
        self.count += 1
        self.events.extend(self.happens(self.handle(), job))
        return self.handle()

    def handle(self) -> Handle:
        return self.count

    def happens(self, handle: Handle, job: Job) -> list[Event]:
        if len(job.candidate.architecture.layers) > 1:
            return [JobDone(handle, Outcome(Measurement(failure="there is no place for it")))]
        curve = tuple(self.point(job, number) for number in (1, 2))
        begin = 0 if job.state is None else int(job.state)
        epochs: list[Event] = [
            EpochDone(handle, number, curve[number - 1], self.state(job, number)) for number in range(begin + 1, 3)
        ]
        model = b"model" if job.keep_model else None
        return [*epochs, JobDone(handle, Outcome(Measurement(curve, 1.0), model, Environment.here(1)))]

    def point(self, job: Job, number: int) -> Epoch:
        """Return figures that depend on seed and fold."""
        loss = (1 + job.seed + 10 * (job.fold or 0)) / number
        return Epoch(loss, 0.5, loss, None if job.fold is None else 0.5, 0.1, float(number))

    def state(self, job: Job, number: int) -> bytes | None:
        return str(number).encode() if job.keep_states and number < 2 else None

    def wait(self, timeout: float | None = None) -> Event | None:
        return self.events.popleft() if self.events else None

    def cancel(self, handle: Handle) -> None:
        self.events = deque(event for event in self.events if event.handle != handle)

    def close(self) -> None:
        self.closed = True

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        return name


def test_the_contract_holds_for_what_keeps_it() -> None:
    check_executor(Stand)


class Trained(ThreadExecutor):
    """Trains in threads of this process, one candidate at a time; what was cancelled ends with its epoch."""

    def __init__(self) -> None:
        super().__init__(self.do)
        self._worker = InProcess()
        self._jobs: dict[Handle, Job] = {}
        self._stopped: list[Job] = []
        self._one_at_a_time = threading.Lock()

    def submit(self, job: Job) -> Handle:
        handle = super().submit(job)
        self._jobs[handle] = job
        return handle

    def cancel(self, handle: Handle) -> None:
        super().cancel(handle)
        self._stopped += [self._jobs[handle]] if handle in self._jobs else []

    def close(self) -> None:
        super().close()
        self._stopped += self._jobs.values()
        with self._one_at_a_time:
            pass

    def do(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        def watched(number: int, epoch: Epoch, state: bytes | None) -> None:
            on_epoch(number, epoch, state)
            if any(one is job for one in self._stopped):
                raise WorkerError("it was cancelled")

        with self._one_at_a_time:
            try:
                outcome = self._worker.do(job, data, watched)
            except TinySearchError as error:
                outcome = Outcome(Measurement(failure=str(error)))
        return replace(outcome, environment=Environment.here(1))


@pytest.mark.slow
def test_the_contract_holds_for_threads_that_train() -> None:
    check_executor(Trained)


@pytest.mark.slow
def test_the_contract_holds_for_processes_of_this_machine() -> None:
    check_executor(lambda: LocalExecutor(2))


class NoRoom(Stand):
    capacity = 0


class NoThreads(Stand):
    def threads_per_job(self) -> int:
        return 0


class SameHandle(Stand):
    def handle(self) -> Handle:
        return "the same"


class Backwards(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return super().happens(handle, job)[::-1]


class MissedEpoch(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return super().happens(handle, job)[1:]


class NoModel(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return super().happens(handle, replace(job, keep_model=False))


class Nowhere(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        *before, done = super().happens(handle, job)
        assert isinstance(done, JobDone)
        return [*before, replace(done, outcome=replace(done.outcome, environment=None))]


class ForgetsStates(Stand):
    def state(self, job: Job, number: int) -> bytes | None:
        return None


class StateOfTheEnd(Stand):
    def state(self, job: Job, number: int) -> bytes | None:
        return b"2" if job.keep_states else None


class BeginsAnew(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return super().happens(handle, replace(job, state=None))


class ByChance(Stand):
    def point(self, job: Job, number: int) -> Epoch:
        return replace(super().point(job, number), loss=float(self.count))


class GoesAstray(Stand):
    def point(self, job: Job, number: int) -> Epoch:
        return replace(super().point(job, number), loss=float(job.state is None))


class CancelledIsDone(Stand):
    def cancel(self, handle: Handle) -> None:
        pass


class FailsInSilence(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        events = super().happens(handle, job)
        return [
            JobDone(handle, Outcome(Measurement()))
            if isinstance(event, JobDone) and event.outcome.measurement.failure
            else event
            for event in events
        ]


class IgnoresFolds(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return super().happens(handle, job if job.fold is None else replace(job, fold=0))


class AlwaysHoldsOut(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return super().happens(handle, replace(job, fold=job.fold or 0))


class NeverCloses(Stand):
    def close(self) -> None:
        pass


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (NoRoom, "capacity is at least 1, got 0"),
        (NoThreads, "at least 1 thread, got 0"),
        (SameHandle, "two jobs have the same handle"),
        (Backwards, "before it is done"),
        (MissedEpoch, "reports both, in order"),
        (NoModel, "if the job has keep_model"),
        (Nowhere, "the environment of the training"),
        (ForgetsStates, "if the job has keep_states"),
        (StateOfTheEnd, "if the job has keep_states"),
        (ByChance, "the same job gives the same numbers"),
        (BeginsAnew, "resumes after the epoch of the state"),
        (GoesAstray, "numbers as an uninterrupted one"),
        (CancelledIsDone, "a job that was cancelled was done"),
        (FailsInSilence, "contains its failure"),
        (IgnoresFolds, "another fold gives other numbers"),
        (AlwaysHoldsOut, "no validation accuracy"),
        (NeverCloses, "a closed executor raises WorkerError"),
    ],
)
def test_what_is_wrong_with_an_executor_is_found(broken: type[Executor], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check_executor(broken)


class Twice(Stand):
    """Tells everything twice, as what is sent over a network may be."""

    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return [event for event in super().happens(handle, job) for _ in range(2)]


class LosesTheFirst(Stand):
    """Loses the first job after its first epoch, as machines that come and go do."""

    def happens(self, handle: Handle, job: Job) -> list[Event]:
        events = super().happens(handle, job)
        return events if self.count > 1 else [events[0], JobLost(handle, "a machine has gone")]


@pytest.mark.parametrize("allowed", [Twice, LosesTheFirst])
def test_what_an_executor_may_do_is_no_fault(allowed: type[Executor]) -> None:
    check_executor(allowed)


class Silent(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return []


class LosesAll(Stand):
    def happens(self, handle: Handle, job: Job) -> list[Event]:
        return [JobLost(handle, "a machine has gone")]


@pytest.mark.parametrize("broken", [Silent, LosesAll])
def test_an_executor_by_which_nothing_is_done_is_not_waited_for_without_end(
    broken: type[Executor], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contract, "PATIENCE", 0.0)
    with pytest.raises(AssertionError, match="were not done after 0 seconds"):
        check_executor(broken)
