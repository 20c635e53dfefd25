"""How long a run is said to take before it begins, and how long it takes then, on a clock that is made up."""

from __future__ import annotations

import dataclasses
import heapq
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from stand_ins import FakeWorker, Worker

from tinysearch.data.dataset import Dataset, TrainingData
from tinysearch.data.images import Images
from tinysearch.results.callback import Callback
from tinysearch.results.predictions import pack
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.forecasting import forecast
from tinysearch.search.stages import Stages
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.job import Job, Outcome

WORKERS = 2


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    """Four hundred images, so that forty are validated on: on four there is no difference to be found."""
    train = Images(np.tile(dataset.train.pixels, (10, 1, 1, 1)), np.tile(dataset.train.labels, 10))
    return dataclasses.replace(dataset, train=train)


def seconds_of(macs: int, epochs: int, share: float) -> tuple[float, float]:
    """Return the setup and the seconds of an epoch on a machine that the forecast does not know.

    Its overhead is not that of the arithmetic, and trainings of one size differ by a quarter up and down.
    """
    return 6.0, 360 * (macs + 350_000) / 1e8 * (0.75 + 0.5 * share)


class Clocked(Worker):
    """Measures candidates as a fake worker does, and says how long they would have taken."""

    def __init__(self) -> None:
        self.inner = FakeWorker(apart=0.2)

    def train(self, job: Job, on_epoch: Any) -> Measurement:
        found = self.inner.train(job, lambda *_: None)
        epochs = job.candidate.recipe.epochs
        share = int(job.candidate.key[:2], 16) / 255
        setup, each = seconds_of(cost(job.candidate.architecture, Task()).macs, epochs, share)
        curve = tuple(
            Epoch(one.loss, one.accuracy, one.val_loss, one.val_accuracy, one.learning_rate, setup + number * each)
            for number, one in enumerate(found.curve, start=1)
        )
        for number, one in enumerate(curve, start=1):
            on_epoch(number, one, None)
        return Measurement(curve, setup + epochs * each)


class Graded(Clocked):
    """Larger networks are better, as they are on images, so that a front has networks of all sizes."""

    def train(self, job: Job, on_epoch: Any) -> Measurement:
        found = super().train(job, on_epoch)
        params = cost(job.candidate.architecture, Task()).params
        score = 0.9 + 0.02 * math.log10(params) + 0.005 * int(job.candidate.key[2:4], 16) / 255
        curve = tuple(dataclasses.replace(one, val_accuracy=score) for one in found.curve)
        return dataclasses.replace(found, curve=curve)


class Scored(Clocked):
    """Comes with a model and predictions where there are images to predict."""

    def do(self, job: Job, data: TrainingData, on_epoch: Any) -> Outcome:
        measurement = self.train(job, on_epoch)
        if data.test is None:
            return Outcome(measurement)
        predicted = pack(np.zeros(len(data.test), np.int32))
        return Outcome(dataclasses.replace(measurement, predicted=predicted), b"a model")


def makespan(records: Sequence[Record]) -> float:
    """Return when the last of some trainings ends, if each goes to the first worker that is free."""
    free = [0.0] * WORKERS
    for record in records:
        heapq.heappush(free, heapq.heappop(free) + record.measurement.train_seconds)
    return max(free)


def carried_out(runner: Any, name: str, kind: type[Clocked] = Clocked, **settings: Any) -> tuple[Any, float]:
    """Carry out a run; return what was forecast before, and how long it took on the clock."""
    with runner.prepare(name, workers=WORKERS, **{"evaluate": 0, "folds": 4, **settings}) as run:
        executor = kind().executor(WORKERS)
        before = forecast(run, executor)
        Stages(run, executor, Callback()).carry_out()
    records = runner.store.records(name)
    spent = makespan([one for one in records if one.purpose == "search"])
    again = [one for one in records if one.purpose == "revalidation"]
    for seed in sorted({one.seed for one in again}):
        spent += makespan([one for one in again if one.seed == seed])
    return before, spent


def test_of_a_machine_that_has_trained_nothing_there_is_no_pace(runner: Any) -> None:
    with runner.prepare(workers=WORKERS) as run:
        found = forecast(run, Clocked().executor(WORKERS))
    assert found.pace is None
    assert found.bounds() is not None


def test_what_is_to_be_trained_is_counted_with_all_stages(runner: Any) -> None:
    with runner.prepare(workers=WORKERS, lag=8, trials=20, evaluate=3, folds=4) as run:
        found = forecast(run, Clocked().executor(WORKERS))
    assert (len(found.known), found.trials) == (len(run.baselines), 20)
    assert (found.revalidations, found.rounds, found.evaluations, found.workers) == (10, 3, 3, 2)


@pytest.mark.parametrize(("lag", "schedule", "workers"), [(1, "lag", 1), (1, "async", 2)])
def test_workers_that_the_lag_leaves_idle_do_not_count(runner: Any, lag: int, schedule: str, workers: int) -> None:
    with runner.prepare(lag=lag, schedule=schedule) as run:
        assert forecast(run, Clocked().executor(WORKERS)).workers == workers


def test_one_fold_means_no_revalidation(runner: Any) -> None:
    with runner.prepare(trials=20, folds=1) as run:
        assert forecast(run, Clocked().executor(WORKERS)).revalidations == 0


@pytest.mark.parametrize(("trials", "budget"), [(8, 10_000), (20, 10_000), (20, 3_000)])
def test_a_run_takes_as_long_as_said_to_within_a_third_if_the_machine_has_trained_before(
    runner: Any, trials: int, budget: int
) -> None:
    carried_out(runner, "before", trials=4, seed=5)
    before, spent = carried_out(runner, "run", trials=trials, budget=budget)
    assert before.pace is not None
    said = before.search_seconds(before.pace) + before.later_seconds(before.pace, before.macs)
    assert said == pytest.approx(spent, rel=1 / 3)


def test_without_a_test_part_no_evaluation_takes_time(runner: Any) -> None:
    runner.dataset = dataclasses.replace(runner.dataset, test_images=0)
    with runner.prepare(workers=WORKERS, trials=20, evaluate=3, folds=4) as run:
        assert forecast(run, Clocked().executor(WORKERS)).evaluations == 0


def test_the_time_of_a_front_covers_the_races_and_the_evaluations_below_every_budget(runner: Any) -> None:
    with runner.prepare(
        workers=WORKERS, strategy="pareto", budgets=(1_000, 3_000, 10_000), trials=30, evaluate=3, folds=4
    ) as run:
        found = forecast(run, Clocked().executor(WORKERS))
    assert (found.trials, found.revalidations, found.rounds, found.evaluations) == (30, 15, 9, 9)


def test_a_front_takes_as_long_as_said_to_within_a_third_if_the_machine_has_trained_before(runner: Any) -> None:
    carried_out(runner, "before", trials=4, seed=5)
    budgets = {"strategy": "pareto", "budgets": (1_000, 3_000, 10_000)}
    before, spent = carried_out(runner, "front", Graded, trials=16, **budgets)
    assert before.pace is not None
    said = before.search_seconds(before.pace) + before.later_seconds(before.pace, before.macs)
    assert said == pytest.approx(spent, rel=1 / 3)


def test_trainings_of_another_machine_and_of_other_images_say_nothing(runner: Any) -> None:
    carried_out(runner, "before", trials=2)
    with runner.prepare("run", workers=WORKERS) as run:
        executor = Clocked().executor(WORKERS)
        assert forecast(run, executor).pace is not None
        run.settings = dataclasses.replace(run.settings, threads=77)
        assert forecast(run, executor).pace is None


def test_where_candidates_of_other_runs_are_perfect_no_revalidation_is_expected(runner: Any) -> None:
    carried_out(runner, "before", trials=2)
    with runner.prepare("run", workers=WORKERS) as run:
        executor = Clocked().executor(WORKERS)
        assert forecast(run, executor).revalidated > 0
        known = run.store.latest(run.dataset.fingerprint, 1)[0]
        last = dataclasses.replace(known.measurement.curve[-1], val_accuracy=1.0)
        measurement = dataclasses.replace(known.measurement, curve=(*known.measurement.curve[:-1], last))
        run.store.append(dataclasses.replace(known, key="0" * 12, purpose="search", measurement=measurement))
        assert forecast(run, executor).revalidated == 0


def test_a_run_that_goes_on_has_only_what_is_left_before_it(runner: Any) -> None:
    carried_out(runner, "run", trials=8)
    with runner.prepare("run", workers=WORKERS, trials=12, folds=4, evaluate=0, resume=True) as run:
        found = forecast(run, Clocked().executor(WORKERS))
    assert found.known == ()
    assert found.trials == 4
    # Half of twelve, but for those that were carried out before.
    done = sum(one.purpose == "revalidation" for one in runner.store.records("run"))
    assert found.revalidations == 6 - done


def test_of_data_without_test_images_there_is_nothing_to_evaluate(runner: Any) -> None:
    for count, evaluations in ((0, 0), (10, 3), (None, 3)):
        runner.dataset = dataclasses.replace(runner.dataset, test_images=count)
        with runner.prepare(f"run-{count}", workers=WORKERS, evaluate=3) as run:
            assert forecast(run, Clocked().executor(WORKERS)).evaluations == evaluations


def test_a_run_that_is_over_has_nothing_left_before_it(runner: Any) -> None:
    test = Images(np.zeros((4, 28, 28, 1), np.uint8), np.arange(4, dtype=np.int32))
    runner.dataset = dataclasses.replace(runner.dataset, load_test=lambda: test, test_images=4)
    settings = {"workers": WORKERS, "trials": 8, "folds": 4}
    with runner.prepare(**settings, evaluate=2) as run:
        Stages(run, Scored().executor(WORKERS), Callback()).carry_out()
    for evaluate, left in ((2, 0), (5, 3)):
        with runner.prepare(**settings, evaluate=evaluate, resume=True) as run:
            found = forecast(run, Clocked().executor(WORKERS))
        assert (found.known, found.trials, found.revalidations, found.evaluations) == ((), 0, 0, left)


def test_candidates_cost_what_those_of_the_run_do_as_soon_as_there_are_some(runner: Any) -> None:
    carried_out(runner, "run", trials=8)
    searched = [one.cost.macs for one in runner.store.records("run") if one.trial is not None]
    with runner.prepare("run", workers=WORKERS, trials=9, folds=4, evaluate=0, resume=True) as run:
        assert forecast(run, Clocked().executor(WORKERS)).macs == pytest.approx(np.mean(searched))


def test_below_a_budget_that_few_random_members_meet_some_are_narrowed(runner: Any) -> None:
    with runner.prepare(budget=300) as run:
        assert 0 < forecast(run, Clocked().executor(WORKERS)).macs < 1e6
