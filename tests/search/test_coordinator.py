"""The loop of plans, in front of executors that lose, delay and repeat what they have to say."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable
from time import monotonic
from types import SimpleNamespace
from typing import Any

import pytest
from stand_ins import FakeWorker

from tinysearch.errors import CostMismatchError, StoreWriteError, WorkerError
from tinysearch.results.callback import Callback
from tinysearch.results.record import Epoch, Measurement
from tinysearch.results.store import Store
from tinysearch.search import coordinator
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone, JobLost

Script = Callable[["Scripted", Handle, Job], list[Any]]


class Scripted(Executor):
    """Says what a script says of each job: events, exceptions to raise, or None for silence.

    Args:
        script: Called with each job that is submitted; by default the job is done at once.
        seed: Shuffles what is said of different jobs, if it is given.
        capacity: How many jobs at a time.
    """

    def __init__(self, script: Script | None = None, *, seed: int | None = None, capacity: int = 2) -> None:
        self.jobs: list[Job] = []
        self.cancelled: list[Handle] = []
        self._script = script or (lambda executor, handle, job: executor.done(handle, job))
        self._rng = None if seed is None else random.Random(seed)  # noqa: S311
        self._capacity = capacity
        self._said: dict[Handle, deque[Any]] = {}
        self._fake = FakeWorker()

    @property
    def capacity(self) -> int:
        return self._capacity

    def done(self, handle: Handle, job: Job) -> list[Any]:
        """Return what a job says that goes well."""
        epochs: list[Event] = []
        measurement = self._fake.train(
            job, lambda number, epoch, state: epochs.append(EpochDone(handle, number, epoch, b"state"))
        )
        return [*epochs, JobDone(handle, Outcome(measurement))]

    def submit(self, job: Job) -> Handle:
        handle = f"job {len(self.jobs)}"
        self.jobs.append(job)
        self._said[handle] = deque(self._script(self, handle, job))
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        talking = [handle for handle, said in self._said.items() if said]
        if not talking:
            return None
        event = self._said[self._rng.choice(talking) if self._rng else talking[0]].popleft()
        if isinstance(event, BaseException):
            raise event
        return event  # type: ignore[no-any-return]

    def cancel(self, handle: Handle) -> None:
        self.cancelled.append(handle)

    def close(self) -> None:
        pass

    def share(self, name: str, array: Any) -> str:
        return name


def essentials(records: Any) -> list[tuple[Any, ...]]:
    return [(one.key, one.trial, one.measurement, one.rejections) for one in records]


def test_answers_that_are_lost_delayed_and_repeated_change_nothing(runner: Any) -> None:
    whole = runner.run("whole", trials=10, workers=3, lag=3)
    for seed in range(5):
        rng = random.Random(seed)  # noqa: S311

        def script(executor: Scripted, handle: Handle, job: Job, rng: random.Random = rng) -> list[Any]:
            said = executor.done(handle, job)
            if rng.random() < 0.3 and sum(one.candidate == job.candidate for one in executor.jobs) == 1:
                return [*said[: rng.randrange(len(said))], JobLost(handle, "the node went away"), *said]
            silence = [None] * rng.randrange(3)
            return [*said[:3], *said[:3], *silence, *said[3:], said[-1], said[0]]

        executor = Scripted(script, seed=seed, capacity=3)
        found = runner.run(f"run-{seed}", trials=10, workers=3, lag=3, worker=executor)
        assert essentials(found.records) == essentials(whole.records)
        assert len(runner.store.records(f"run-{seed}")) == 13
        assert executor.cancelled == []


def test_a_job_that_is_lost_again_and_again_is_a_failure_with_the_reason_and_the_run_goes_on(runner: Any) -> None:
    def script(executor: Scripted, handle: Handle, job: Job) -> list[Any]:
        first = job.candidate == executor.jobs[0].candidate
        return [JobLost(handle, "the node went away")] if first else executor.done(handle, job)

    executor = Scripted(script)
    found = runner.run(trials=3, documented={}, worker=executor)
    assert [one.failure for one in found.records] == ["the node went away, 3 times", None, None]
    assert len(executor.jobs) == 5


def test_a_job_that_is_lost_goes_on_from_its_last_state(runner: Any) -> None:
    def script(executor: Scripted, handle: Handle, job: Job) -> list[Any]:
        said = executor.done(handle, job)
        return [*said[:4], JobLost(handle, "gone")] if len(executor.jobs) == 1 else said

    executor = Scripted(script)
    runner.run(trials=1, documented={}, worker=executor)
    assert [job.state for job in executor.jobs] == [None, b"state"]


@pytest.mark.parametrize(
    "error",
    [KeyboardInterrupt(), CostMismatchError("counted wrongly"), WorkerError("no memory"), ValueError("a fault")],
)
def test_what_was_finished_is_stored_and_the_rest_is_cancelled_whatever_ends_the_run(
    error: BaseException, runner: Any
) -> None:
    def script(executor: Scripted, handle: Handle, job: Job) -> list[Any]:
        if len(executor.jobs) == 1:
            return [error]
        return executor.done(handle, job) if len(executor.jobs) == 2 else []

    executor = Scripted(script, capacity=3)
    if isinstance(error, KeyboardInterrupt):
        assert runner.run(trials=4, lag=4, documented={}, worker=executor).ending == "interrupted"
    else:
        with pytest.raises(type(error)):
            runner.run(trials=4, lag=4, documented={}, worker=executor)
    assert [one.key for one in runner.store.records("run")] == [executor.jobs[1].candidate.key]
    assert executor.cancelled == ["job 0", "job 2"]


def test_a_callback_that_fails_ends_the_run_and_its_record_is_kept(runner: Any) -> None:
    class Failing(Callback):
        def on_record(self, training: Any, record: Any, rejections: Any) -> None:
            raise RuntimeError("no room to draw")

    with pytest.raises(RuntimeError, match="no room to draw"):
        runner.run(trials=4, documented={}, worker=Scripted(), watcher=Failing())
    assert runner.store.records("run")
    assert runner.run(trials=4, documented={}, worker=Scripted(), resume=True).ending == "finished"


def test_a_store_that_cannot_be_written_ends_the_run(runner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise StoreWriteError("the disk is full")

    executor = Scripted()
    search = runner.prepare(trials=4, documented={})
    monkeypatch.setattr(Store, "append", full)
    with pytest.raises(StoreWriteError):
        runner.carry_out(search, executor)
    search.close()
    assert runner.store.records("run") == []


def test_an_executor_whose_capacity_grows_is_given_more(runner: Any) -> None:
    most = 0

    class Growing(Scripted):
        @property
        def capacity(self) -> int:
            return 1 + len(self.jobs)

        def wait(self, timeout: float | None = None) -> Event | None:
            nonlocal most
            most = max(most, sum(bool(said) for said in self._said.values()))
            return super().wait(timeout)

    runner.run(trials=12, lag=4, documented={}, worker=Growing())
    assert most == 4


def test_room_that_comes_while_trainings_are_under_way_is_used_at_once(runner: Any) -> None:
    class Joined(Scripted):
        """Has room for one job until it was asked for news, and does none before there are three."""

        asked = 0

        @property
        def capacity(self) -> int:
            return 3 if self.asked else 1

        def wait(self, timeout: float | None = None) -> Event | None:
            self.asked += 1
            assert len(self.jobs) == 3 or self.asked < 10, "the room was not used"
            return super().wait(timeout) if len(self.jobs) == 3 else None

    found = runner.run(trials=3, lag=3, documented={}, worker=Joined())
    assert len(found.records) == 3


def test_what_is_finished_after_the_time_limit_is_kept(runner: Any) -> None:
    executor = Scripted(lambda executor, handle, job: [None, None, *executor.done(handle, job)])
    found = runner.run(trials=2, documented={}, worker=executor, time_limit=1e-9)
    assert found.ending == "time limit"
    assert isinstance(found.records, tuple)


def test_the_time_limit_holds_while_there_is_always_another_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coordinator, "_LONGEST_SEARCH", 0)

    class Busy(Scripted):
        """Its jobs do not end, and there is always another epoch to hear of."""

        heard = 0

        def wait(self, timeout: float | None = None) -> Event | None:
            self.heard += 1
            assert self.heard < 1_000, "the time limit was ignored"
            return EpochDone("job 0", self.heard, Epoch(1.0, 0.5, 1.0, 0.5, 0.1, 1.0))

    trainings: list[Any] = [SimpleNamespace()]
    plan: Any = SimpleNamespace(
        locks=(),
        next=lambda: trainings.pop() if trainings else None,
        known=lambda training: None,
        job=lambda training: SimpleNamespace(),
        checkpoint=lambda training: None,
    )
    executor = Busy(lambda executor, handle, job: [])
    over = monotonic()
    with pytest.raises(coordinator.TimeIsUpError):
        coordinator.Coordinator(None, executor, Callback(), over).carry_out(plan)  # type: ignore[arg-type]
    assert executor.cancelled == ["job 0"]


def test_a_measurement_without_an_environment_gets_that_of_its_executor(runner: Any) -> None:
    executor = Scripted(lambda executor, handle, job: [JobDone(handle, Outcome(Measurement(failure="no")))])
    (record,) = runner.run(trials=1, documented={}, worker=executor).records
    assert record.provenance["threads"] == "1"
