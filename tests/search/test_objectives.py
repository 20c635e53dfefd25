"""Searches by other objectives than accuracy, on a task of two classes one of which is rare."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from stand_ins import Trainer

from tinysearch.data.dataset import Dataset, TrainingData
from tinysearch.data.images import Images
from tinysearch.errors import InputError, RunError
from tinysearch.results.callback import Callback
from tinysearch.results.leaderboard import rank
from tinysearch.results.objective import measured
from tinysearch.results.predictions import pack
from tinysearch.results.ranking import best, ranked
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.evaluation import best_of
from tinysearch.search.pruning import KNOWN, floor
from tinysearch.search.stages import Stages
from tinysearch.space.task import Task
from tinysearch.training.job import EpochWatcher, Job, Outcome

STRATEGIES = ["bayesian", "evolution", "halving", "pareto", "random"]


def share(key: str, what: str) -> float:
    """Return a number between 0 and 1 that is made of a key."""
    return int(hashlib.sha256(f"{key} {what}".encode()).hexdigest()[:8], 16) / 2**32


class Guesses(Trainer):
    """Trains nothing: a candidate finds a share of the rare images, and takes the more of the others for rare.

    So one that finds none is right on 95 % of the images, and one that finds all on 83 to 93 %.

    Args:
        alike: Whether all find about half of them.
    """

    def __init__(self, *, alike: bool = False) -> None:
        self.alike = alike
        self.jobs: list[Job] = []

    def found(self, key: str) -> float:
        return 0.5 + 0.1 * (share(key, "found") - 0.5) if self.alike else share(key, "found")

    def alarms(self, key: str) -> float:
        return self.found(key) * (0.08 + (0.01 if self.alike else 0.1) * share(key, "alarms"))

    def do(self, job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        self.jobs.append(job)
        found, alarms = self.found(job.candidate.key), self.alarms(job.candidate.key)
        epochs = job.candidate.recipe.epochs
        if data.validation is None:
            curve = [Epoch(1.0, 0.5, None, None, 0.1, 1.0)] * epochs
        else:
            labels = data.validation.labels
            predicted = self.predicted(labels, found, alarms)
            point = Epoch(1.0, 0.5, 1.0, float((predicted == labels).mean()), 0.1, 1.0)
            last = dataclasses.replace(point, metrics=measured(labels, predicted))
            curve = [last if job.objective != "accuracy" else point] * (epochs - 1) + [last]
            if job.floor is not None and (last.value(job.objective) or 0.0) < job.floor[1]:
                curve = curve[: job.floor[0]]
        seen = None
        if data.test is not None:
            seen = pack(self.predicted(rare(len(data.test)), found, alarms))
        model = job.candidate.key.encode() if job.keep_model else None
        return Outcome(Measurement(tuple(curve), 1.0, predicted=seen), model)

    @staticmethod
    def predicted(labels: Any, found: float, alarms: float) -> Any:
        predicted = np.zeros_like(labels)
        for label, taken in ((1, found), (0, alarms)):
            places = np.flatnonzero(labels == label)
            predicted[places[: round(taken * len(places))]] = 1
        return predicted


def rare(count: int) -> Any:
    """Return labels of which every twentieth is 1."""
    return (np.arange(count) % 20 == 0).astype(np.int32)


@pytest.fixture
def dataset() -> Dataset:
    """Four thousand images of 28x28 pixels, 95 % of class 0."""

    def images(count: int) -> Images:
        return Images(np.zeros((count, 28, 28, 1), np.uint8), rare(count))

    return Dataset("rare", "a test", Task(classes=2), images(4_000), "0" * 16, 255.0, None, lambda: images(400))


def searched(runner: Any, name: str, objective: str, **given: Any) -> list[Record]:
    """Return the records of a search."""
    worker = given.pop("worker", None) or Guesses()
    runner.run(name, worker=worker, objective=objective, **{"trials": 24, "documented": {}, **given})
    records: list[Record] = runner.store.records(name)
    return records


def test_accuracy_and_balanced_accuracy_choose_different_winners(runner: Any) -> None:
    by_accuracy = searched(runner, "first", "accuracy", strategy="random")
    by_balance = searched(runner, "second", "balanced_accuracy", strategy="random")
    assert [one.key for one in by_accuracy] == [one.key for one in by_balance]
    first, second = best(by_accuracy), best(by_balance)
    assert first is not None
    assert second is not None
    assert first.metrics["accuracy"] > second.metrics["accuracy"]
    assert first.metrics["balanced_accuracy"] < second.metrics["balanced_accuracy"]
    for records, name, winner in ((by_accuracy, "accuracy", first), (by_balance, "balanced_accuracy", second)):
        assert winner.metrics[name] == max(one.metrics[name] for one in records)
        (plan,) = best_of(runner.store, winner.run, runner.dataset, 1, [0])
        assert plan.key == winner.key
        assert rank(runner.store.summaries(winner.run)).rows[0].key == winner.key


@pytest.mark.parametrize(
    # ``pareto`` has the model of ``bayesian``.
    "strategy",
    [pytest.param(one, marks=pytest.mark.slow) if one == "pareto" else one for one in STRATEGIES],
)
def test_strategies_learn_from_the_objective(strategy: str, runner: Any) -> None:
    given = {"strategy": strategy, "trials": 12}
    first = [one.key for one in searched(runner, "first", "accuracy", **given)]
    second = [one.key for one in searched(runner, "second", "balanced_accuracy", **given)]
    # It begins as it would; what it knows it knows by its objective.
    assert first[0] == second[0]
    assert (first == second) == (strategy == "random")
    again = searched(runner, "again", "balanced_accuracy", **given)
    assert [one.key for one in again] == second
    assert {one.objective for one in again} == {"balanced_accuracy"}


def test_all_stages_go_by_the_objective(runner: Any) -> None:
    # So much alike that the leaders are revalidated.
    worker = Guesses(alike=True)
    given = {"trials": 12, "workers": 2, "folds": 2, "evaluate": 2, "documented": {}, "objective": "balanced_accuracy"}
    with runner.prepare("run", **given) as run:
        outcome = Stages(run, worker.executor(2), Callback()).carry_out()
    assert (outcome.ending, outcome.problem) == ("finished", None)
    winner = outcome.best
    assert winner is not None
    assert winner.value == max(one.value or 0.0 for one in outcome.records if one.purpose == "search")
    tested = [one for one in runner.store.records("run") if one.purpose == "evaluation"]
    assert [one.key for one in tested] == [winner.key] * 2
    labels = rare(400)
    expected = Guesses.predicted(labels, worker.found(winner.key), worker.alarms(winner.key))
    for one in tested:
        assert one.test_metrics == measured(labels, expected)
        assert one.test_value == one.test_metrics["balanced_accuracy"]
        assert one.metrics == {}
    again = [one for one in runner.store.records("run") if one.purpose == "revalidation"]
    assert {one.objective for one in again} == {"balanced_accuracy"}
    # Training knows the objective wherever there are images to validate on.
    assert {job.objective for job in worker.jobs if job.fold is not None} == {"balanced_accuracy"}
    (row,) = (row for row in rank(runner.store.summaries("run")).rows if row.test_seeds)
    assert (row.key, row.rank, row.val_seeds) == (winner.key, 1, 2)
    assert row.test_metric_mean == pytest.approx(tested[0].test_value)
    assert row.test_accuracy_mean == pytest.approx(tested[0].test_accuracy)


def test_the_models_that_are_kept_are_those_of_the_best_by_the_objective(runner: Any) -> None:
    with runner.prepare("run", trials=12, documented={}, objective="balanced_accuracy") as run:
        runner.carry_out(run, Guesses())
        kept = {path.stem for path in run.models.path("any").parent.glob("*.keras")}
    assert kept == {one.first.key for one in ranked(runner.store.records("run"))[:5]}


def test_the_floor_is_of_the_objective_and_so_is_what_is_stopped_by_it(runner: Any) -> None:
    given = {"strategy": "random", "trials": 30}
    whole = searched(runner, "whole", "balanced_accuracy", **given)
    pruned = searched(runner, "pruned", "balanced_accuracy", prune=True, **given)
    stopped = [one for one in pruned if one.pruned]
    assert 5 < len(stopped) < 25
    for place, one in enumerate(pruned):
        bound = floor(pruned[:place], 10)
        assert (bound is None) == (place < KNOWN)
        assert one.pruned == (bound is not None and (whole[place].value or 0.0) < bound[1])
    winner = best(pruned)
    assert winner is not None
    assert winner.key == getattr(best(whole), "key", None)


@pytest.mark.parametrize("prune", [False, True])
def test_a_training_is_reused_by_a_run_with_another_objective_where_it_was_measured_by_that(
    runner: Any, prune: bool
) -> None:
    given = {"strategy": "random", "trials": 12, "reuse": "same"}
    worker = Guesses()
    searched(runner, "first", "accuracy", worker=worker, **given)
    second = searched(runner, "second", "macro_f1", worker=worker, prune=prune, **given)
    # Where trainings may be stopped, values after all epochs are needed, which the first run has not measured.
    assert {one.reused_from for one in second} == ({None} if prune else {"first"})
    assert all(one.value == one.metrics["macro_f1"] for one in second)
    assert {one.objective for one in runner.store.records("first")} == {"accuracy"}


def test_what_was_not_measured_by_the_objective_is_trained_again(runner: Any, fake_worker: Any) -> None:
    given = {"strategy": "random", "trials": 3, "reuse": "same"}
    searched(runner, "first", "accuracy", worker=fake_worker(), **given)
    assert {one.reused_from for one in searched(runner, "second", "macro_f1", **given)} == {None}


def test_a_warm_start_is_by_the_present_objective_and_leaves_out_what_has_none(runner: Any, fake_worker: Any) -> None:
    searched(runner, "known", "accuracy", trials=5)
    searched(runner, "unknown", "accuracy", trials=5, worker=fake_worker())

    def known(objective: str) -> Sequence[Record]:
        name = f"taught {objective}"
        given = {"warm_start_trials": (("known", 5), ("unknown", 5)), "objective": objective, "documented": {}}
        with runner.prepare(name, **given) as run:
            found: Sequence[Record] = run.proposer.warm_start_trials
        return found

    assert [one.run for one in known("accuracy")] == ["known"] * 5 + ["unknown"] * 5
    by_macro = known("macro_f1")
    assert [one.run for one in by_macro] == ["known"] * 5
    assert [one.score for one in by_macro] == [one.metrics["macro_f1"] for one in by_macro]


def test_a_run_keeps_its_objective(runner: Any) -> None:
    searched(runner, "run", "macro_f1", trials=3)
    run = runner.store.run("run")
    assert (run.objective, run.direction, run.settings["objective"]) == ("macro_f1", "max", "macro_f1")
    with pytest.raises(RunError, match="objective 'macro_f1', now it is 'accuracy'"):
        runner.run("run", trials=4, documented={}, resume=True)
    resumed = searched(runner, "run", "macro_f1", trials=5, resume=True)
    whole = searched(runner, "whole", "macro_f1", trials=5)
    assert [(one.key, one.score) for one in resumed] == [(one.key, one.score) for one in whole]


def test_an_unknown_objective_is_refused(runner: Any) -> None:
    with pytest.raises(InputError, match="accuracy, balanced_accuracy, macro_f1 or module:Class; got 'recall'"):
        runner.run("run", objective="recall")
