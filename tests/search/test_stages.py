from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from stand_ins import ALIKE, Worker

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.errors import NoTestImagesError, RunError, TrainingError, WorkerError
from tinysearch.report.states import RunStates
from tinysearch.results.callback import Callback, Stage
from tinysearch.results.ranking import best
from tinysearch.results.record import Epoch, Measurement
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.search.revalidation import RevalidationPlan
from tinysearch.search.stages import STAGES, Stages
from tinysearch.search.workload import workload
from tinysearch.training.job import Job
from tinysearch.workers.threads import ThreadExecutor


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    """Four hundred images, so that forty are validated on: on four there is no difference to be found."""
    train = Images(np.tile(dataset.train.pixels, (10, 1, 1, 1)), np.tile(dataset.train.labels, 10))
    return dataclasses.replace(dataset, train=train)


class Notes(Callback):
    """Remembers the notes."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    def on_note(self, text: str) -> None:
        self.seen.append(text)


class Staged(Worker):
    """Searches with one worker, and does what follows with another."""

    def __init__(self, searching: Any, following: Any) -> None:
        self.searching = searching
        self.following = following

    def train(self, job: Job, on_epoch: Any) -> Measurement:
        first = job.fold == 0
        return (self.searching if first else self.following).train(job, on_epoch)  # type: ignore[no-any-return]


def purposes(store: Store, run: str = "run") -> dict[str, int]:
    found: dict[str, int] = {}
    for record in store.records(run):
        found[record.purpose] = found.get(record.purpose, 0) + 1
    return found


def staged(
    runner: Any, react: Callable[[int, Job], Measurement | None] | None, fake_worker: Any, **given: Any
) -> tuple[Any, Any, list[str]]:
    """Carry out all stages on candidates that are alike; revalidations and evaluations react as said."""
    notes = Notes()
    worker = Staged(fake_worker(**ALIKE), fake_worker(react, **ALIKE))
    settings = {"trials": 6, "workers": 2, "documented": {}, **given}
    with runner.prepare(**settings) as run:
        outcome = Stages(run, worker.executor(settings["workers"]), notes).carry_out()
    return outcome, outcome.problem, notes.seen


def test_the_winner_is_revalidated_whether_or_not_it_is_evaluated(runner: Any, fake_worker: Any) -> None:
    outcome, problem, _ = staged(runner, None, fake_worker, folds=3, evaluate=0)
    assert problem is None
    assert outcome.ending == "finished"
    # At most half as many as trials, and the winner is one of those.
    assert purposes(runner.store)["revalidation"] == 2
    winner = outcome.best.key
    assert sum(record.key == winner for record in outcome.records) == 2


def test_where_there_are_no_test_images_the_winner_is_revalidated_and_a_note_says_what_is_missing(
    runner: Any, fake_worker: Any
) -> None:
    def missing() -> Images:
        raise NoTestImagesError("noise.npz has no array 'x_test'")

    runner.dataset = dataclasses.replace(runner.dataset, load_test=missing)
    outcome, problem, notes = staged(runner, None, fake_worker, folds=2, evaluate=2)
    assert (outcome.ending, problem, outcome.missing) == ("finished", None, ())
    assert notes == ["no test figures: noise.npz has no array 'x_test'"]
    assert set(purposes(runner.store)) == {"search", "revalidation"}


def test_an_error_while_the_leaders_are_revalidated_keeps_what_was_searched(runner: Any, fake_worker: Any) -> None:
    def react(number: int, job: Job) -> Measurement | None:
        raise WorkerError("no process can be started")

    outcome, problem, _ = staged(runner, react, fake_worker, folds=3, evaluate=0)
    assert isinstance(problem, WorkerError)
    assert outcome.ending == "finished"
    assert len(outcome.records) == 6


def test_the_best_of_the_outcome_is_the_best_of_the_store(runner: Any, fake_worker: Any) -> None:
    def worse(number: int, job: Job) -> Measurement:
        score = 0.3 if number else 0.1
        return Measurement(tuple([Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0)] * 10), 1.0)

    # One worker: the leader is the first to be trained again.
    outcome, _, _ = staged(runner, worse, fake_worker, trials=6, folds=3, evaluate=0, workers=1)
    stored = best(one for one in runner.store.records("run") if one.purpose != "evaluation")
    assert (outcome.best.key, outcome.best.measurement) == (stored.key, stored.measurement)
    first = max((one for one in outcome.records if one.purpose == "search"), key=lambda one: one.score)
    assert outcome.best.key != first.key


class Endless(Worker):
    """Trains the first of its jobs at once, and the others for ever."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.lock = threading.Lock()
        self.begun = 0

    def train(self, job: Job, on_epoch: Any) -> Measurement:
        with self.lock:
            self.begun += 1
            first = self.begun == 1
        if first:
            return self.inner.train(job, on_epoch)  # type: ignore[no-any-return]
        threading.Event().wait()
        raise AssertionError


class Hurry(Callback):
    """Sets a time limit as soon as the search is over."""

    def __init__(self, run: Any) -> None:
        self.run = run

    def on_stage_end(self, stage: Stage) -> None:
        if stage.name == "search":
            self.run.until = time.monotonic() + 0.5


@pytest.mark.parametrize("stage", ["revalidation", "evaluation"])
def test_the_time_limit_ends_every_stage_and_what_was_finished_is_kept(
    stage: str, runner: Any, fake_worker: Any
) -> None:
    test = Images(np.zeros((4, 28, 28, 1), np.uint8), np.arange(4, dtype=np.int32))
    runner.dataset = dataclasses.replace(runner.dataset, load_test=lambda: test)
    quick = lambda number, job: Measurement(  # noqa: E731
        tuple([Epoch(1.0, 0.5, 1.0, 0.2, 0.1, 1.0)] * 10), 1e-6, "is not scored" if stage == "evaluation" else None
    )
    searching = fake_worker(
        lambda number, job: Measurement(tuple([Epoch(1.0, 0.5, 1.0, 0.9 - number / 100, 0.1, 1.0)] * 10), 1e-6)
    )
    worker = Staged(searching, Endless(fake_worker(quick)))
    folds, evaluate = (3, 0) if stage == "revalidation" else (1, 3)
    with runner.prepare(trials=6, workers=2, documented={}, folds=folds, evaluate=evaluate, strategy="random") as run:
        outcome = Stages(run, worker.executor(2), Hurry(run)).carry_out()
    assert (outcome.ending, outcome.problem) == ("time limit", None)
    assert purposes(runner.store) == {"search": 6, stage: 1}


def interrupted(runner: Any, fake_worker: Any, at: int, **given: Any) -> Any:
    """Carry out a run that Ctrl-C ends at its training with this number, counted from 0."""

    def react(number: int, job: Job) -> None:
        if number == at:
            raise KeyboardInterrupt

    settings = {"trials": 6, "workers": 1, "documented": {}, "folds": 3, "evaluate": 0, **given}
    with runner.prepare(**settings) as run:
        return Stages(run, fake_worker(react, **ALIKE).executor(1), Callback()).carry_out()


@pytest.mark.parametrize(
    ("trials", "evaluate", "test_images", "missing"),
    [
        (6, 2, 10, ("search", "revalidation", "evaluation")),
        (6, 2, None, ("search", "revalidation", "evaluation")),
        (6, 0, 10, ("search", "revalidation")),
        # A race takes four trials.
        (4, 0, 10, ("search", "revalidation")),
        (3, 0, 10, ("search",)),
        (3, 2, 0, ("search",)),
    ],
)
def test_after_an_interruption_only_that_is_missing_which_can_still_come(
    runner: Any, fake_worker: Any, trials: int, evaluate: int, test_images: int | None, missing: tuple[str, ...]
) -> None:
    runner.dataset = dataclasses.replace(runner.dataset, test_images=test_images)
    outcome = interrupted(runner, fake_worker, 1, trials=trials, evaluate=evaluate)
    assert (outcome.ending, outcome.missing) == ("interrupted", missing)


def test_where_every_training_failed_nothing_is_missing(runner: Any, fake_worker: Any) -> None:
    with runner.prepare(trials=4, folds=2, evaluate=2) as run:
        failing = fake_worker(lambda number, job: Measurement(failure="killed"))
        outcome = Stages(run, failing.executor(1), Callback()).carry_out()
        left = workload(run)
    assert all(one.failed for one in outcome.records)
    assert (outcome.ending, outcome.missing) == ("finished", ())
    assert (left.trainings, left.revalidations, left.evaluations) == (0, 0, 0)


def test_a_search_that_was_over_before_is_not_missing_when_its_race_is_interrupted(
    runner: Any, fake_worker: Any
) -> None:
    assert interrupted(runner, fake_worker, 6).missing == ("revalidation",)
    assert interrupted(runner, fake_worker, 0, resume=True).missing == ("revalidation",)
    assert interrupted(runner, fake_worker, 99, resume=True).missing == ()


class Killed(BaseException):
    """Ends the process where it is raised, as far as the run is concerned."""


@pytest.mark.parametrize("stage", ["revalidation", "evaluation"])
@pytest.mark.parametrize("again", [False, True], ids=["at first", "after it was finished"])
def test_a_run_that_is_killed_after_its_search_is_not_finished_until_it_was_resumed(
    stage: str, again: bool, runner: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(stages: Stages, **given: Any) -> None:
        raise Killed

    def react(number: int, job: Job) -> Measurement | None:
        # There is no model that could be scored.
        return Measurement(failure="is not scored") if job.fold is None else None

    def carry_out(*stages: str, **given: Any) -> None:
        with runner.prepare(trials=6, documented={}, resume=runner.store.has("run"), **given) as run:
            Stages(run, fake_worker(react, **ALIKE).executor(1), Callback()).carry_out(stages or STAGES)

    test = Images(np.zeros((4, 28, 28, 1), np.uint8), np.arange(4, dtype=np.int32))
    runner.dataset = dataclasses.replace(runner.dataset, load_test=lambda: test, test_images=4)
    wanted: dict[str, Any] = {"folds": 3, "evaluate": 0} if stage == "revalidation" else {"folds": 1, "evaluate": 2}
    if again:
        carry_out(folds=1, evaluate=0)
        assert RunStates(runner.store).look({})[0].kind == "finished"
    with monkeypatch.context() as patched:
        patched.setattr(Stages, {"revalidation": "revalidate", "evaluation": "evaluate"}[stage], kill)
        with pytest.raises(Killed):
            carry_out(*((stage,) if again else ()), **wanted)
    (state,) = RunStates(runner.store).look({})
    assert (state.kind, state.state.partition(";")[0]) == ("stopped", "no process is running it")
    carry_out(**wanted)
    (state,) = RunStates(runner.store).look({})
    assert state.kind == "finished"
    assert purposes(runner.store)[stage] == 2


def test_a_search_with_nothing_more_to_propose_is_over_when_the_winner_is_evaluated_later(
    runner: Any, fake_worker: Any, pointwise: Any
) -> None:
    given = {"space": pointwise(1, 3), "trials": 9, "documented": {}, "folds": 2, "evaluate": 0}
    assert runner.run(**given).ending == "exhausted"
    with runner.prepare(resume=True, **given) as run:
        outcome = Stages(run, fake_worker().executor(1), Callback()).carry_out(("revalidation",))
    assert (outcome.ending, outcome.missing) == ("finished", ())
    assert runner.store.run("run").finished_at is not None


def test_nobody_else_can_go_on_with_a_run_while_its_leaders_are_revalidated(runner: Any, fake_worker: Any) -> None:
    refused: list[str] = []

    def react(number: int, job: Job) -> None:
        with pytest.raises(RunError) as error:
            runner.prepare(trials=6, workers=2, documented={}, folds=2, evaluate=0, resume=True)
        refused.append(str(error.value))

    staged(runner, react, fake_worker, folds=2, evaluate=0)
    assert refused
    assert all("is in use by" in text for text in refused)


@pytest.mark.parametrize("workers", [1, 8])
def test_records_are_not_read_again_for_each_training(
    workers: int, runner: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[str | None] = []
    whole = Store.records

    def counted(store: Store, run: str | None = None, **options: Any) -> Any:
        reads.append(run)
        return whole(store, run, **options)

    with runner.prepare(trials=10, workers=workers, documented={}, folds=3, evaluate=0) as run:
        monkeypatch.setattr(Store, "records", counted)
        Stages(run, fake_worker(**ALIKE).executor(workers), Callback()).carry_out()
    assert purposes(runner.store)["revalidation"] >= 2
    assert len(reads) <= 3


def test_revalidations_from_before_count_in_the_outcome_of_a_run_that_goes_on(runner: Any, fake_worker: Any) -> None:
    def worse(number: int, job: Job) -> Measurement:
        return Measurement(tuple([Epoch(1.0, 0.5, 1.0, 0.3 if number else 0.1, 0.1, 1.0)] * 10), 1.0)

    staged(runner, worse, fake_worker, trials=6, folds=3, evaluate=0)

    def interrupt(number: int, job: Job) -> None:
        raise KeyboardInterrupt

    with runner.prepare(trials=9, workers=2, documented={}, folds=3, evaluate=0, resume=True) as run:
        outcome = Stages(run, fake_worker(interrupt).executor(2), Callback()).carry_out()
    assert outcome.ending == "interrupted"
    stored = best(one for one in runner.store.records("run") if one.purpose != "evaluation")
    assert (outcome.best.key, outcome.best.measurement) == (stored.key, stored.measurement)


def test_a_revalidation_of_another_run_that_failed_is_not_reused(runner: Any, fake_worker: Any) -> None:
    failing = lambda number, job: Measurement(failure="killed")  # noqa: E731
    staged(runner, failing, fake_worker, name="first", trials=6, folds=2, evaluate=0)
    outcome, _, _ = staged(runner, None, fake_worker, name="second", trials=6, folds=2, evaluate=0, reuse="same")
    again = [one for one in outcome.records if one.purpose == "revalidation"]
    assert again
    assert not any(one.failed for one in again)


def test_what_was_finished_is_stored_even_where_one_record_cannot_be_made(
    runner: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = RevalidationPlan.recorded
    refused: list[str] = []

    def failing(plan: RevalidationPlan, training: Training, outcome: Any) -> Any:
        if not refused:
            refused.append(training.key)
            assert both.wait(timeout=60)
            # A thread ends when it has told its result.
            for thread in threads:
                thread.join(60)
            raise TrainingError("the model could not be saved")
        return whole(plan, training, outcome)

    both, threads = threading.Event(), []

    def react(number: int, job: Job) -> None:
        threads.append(threading.current_thread())
        if number == 1:
            both.set()

    monkeypatch.setattr(RevalidationPlan, "recorded", failing)
    outcome, problem, _ = staged(runner, react, fake_worker, folds=2, evaluate=0)
    assert isinstance(problem, TrainingError)
    stored = [one.key for one in outcome.records if one.purpose == "revalidation"]
    assert len(stored) == 1
    assert stored != refused


def test_the_processes_of_the_search_train_what_follows(runner: Any, fake_worker: Any) -> None:
    """The images are shared once, and prepared for once."""
    prepared: list[int] = []

    class Counting(ThreadExecutor):
        def prepare(self, count: int, resources: Any) -> None:
            prepared.append(count)

        def share(self, name: str, array: Any) -> str:
            shared.add(name)
            return super().share(name, array)

    shared: set[str] = set()
    with runner.prepare(trials=3, workers=2, documented={}, folds=3, evaluate=0) as run:
        executor = Counting(fake_worker().do, 2)
        Stages(run, executor, Callback()).carry_out()
    assert prepared == [2]
    assert shared == {"0123456789abcdef-pixels", "0123456789abcdef-labels"}


def test_a_note_says_where_the_lag_leaves_workers_idle(runner: Any, fake_worker: Any) -> None:
    for lag, schedule, expected in ((2, "lag", True), (8, "lag", False), (2, "async", False)):
        notes = Notes()
        name = f"{lag}-{schedule}"
        with runner.prepare(name, trials=1, lag=lag, schedule=schedule, documented={}, folds=1, evaluate=0) as run:
            Stages(run, fake_worker().executor(4), notes).carry_out()
        assert any("at most 2 of 4 workers are busy" in text for text in notes.seen) == expected
