from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.pruning import KNOWN, comparable, floor


def curve(*accuracies: float) -> Measurement:
    return Measurement(tuple(Epoch(1.0, 0.5, 1.0, accuracy, 0.1, 1.0) for accuracy in accuracies), 1.0)


@pytest.fixture
def reached(make_record: Callable[..., Record]) -> Callable[..., Record]:
    """Return a function that makes a record of a training of ten epochs that had an accuracy after the fifth."""

    def make(accuracy: float, *, epochs: int = 10, trained: int = 10, **fields: Any) -> Record:
        accuracies = [0.1, 0.1, 0.1, 0.1, accuracy, *[0.99] * 5][:trained]
        return replace(make_record(recipe={"epochs": epochs}), measurement=curve(*accuracies), **fields)

    return make


def test_the_floor_is_the_median_of_what_others_had_reached(reached: Callable[..., Record]) -> None:
    history = [reached(0.5 + number / 100) for number in range(9)]
    assert floor(history, 10) == (5, pytest.approx(0.54))


def test_there_is_no_floor_before_enough_is_known(reached: Callable[..., Record]) -> None:
    assert floor([reached(0.9)] * (KNOWN - 1), 10) is None
    assert floor([reached(0.9)] * KNOWN, 10) == (5, 0.9)


def test_what_was_stopped_counts_and_what_cannot_be_compared_does_not(reached: Callable[..., Record]) -> None:
    stopped = [reached(0.5, trained=5)] * KNOWN
    others = [
        reached(0.9, origin="baseline"),
        reached(0.9, epochs=5, trained=5),
        reached(0.9, trained=4),
        replace(reached(0.9), measurement=Measurement(failure="no memory")),
    ]
    assert floor(others * KNOWN + stopped, 10) == (5, 0.5)
    assert floor(others * KNOWN, 10) is None


@pytest.mark.parametrize("epochs", [1, 2])
def test_a_training_that_is_over_at_once_is_not_stopped(reached: Callable[..., Record], epochs: int) -> None:
    history = [reached(0.9, epochs=epochs, trained=epochs)] * 20
    found = floor(history, epochs)
    assert found is None or 1 <= found[0] < epochs


def test_a_run_that_prunes_stops_some_and_keeps_the_best(runner: Any) -> None:
    whole = runner.run("whole", trials=40, strategy="random")
    pruned = runner.run("pruned", trials=40, strategy="random", prune=True)
    assert [one.key for one in pruned.records] == [one.key for one in whole.records]
    stopped = [one for one in pruned.records if one.pruned]
    assert 5 < len(stopped) < 25
    assert all(len(one.measurement.curve) == 5 for one in stopped)
    assert pruned.best is not None
    assert not pruned.best.pruned
    assert whole.best is not None
    assert pruned.best.key == whole.best.key


def test_an_interrupted_run_that_prunes_goes_on_as_if_nothing_had_happened(runner: Any, fake_worker: Any) -> None:
    whole = runner.run("whole", trials=30, workers=2, prune=True)

    def interrupt(number: int, job: Any) -> None:
        if number == 25:
            raise KeyboardInterrupt

    runner.run("parts", trials=30, workers=2, prune=True, worker=fake_worker(interrupt))
    parts = runner.run("parts", trials=30, workers=2, prune=True, resume=True)
    assert [(one.key, one.measurement) for one in parts.records] == [
        (one.key, one.measurement) for one in whole.records
    ]


def test_what_was_stopped_is_not_taken_over_by_another_run(runner: Any) -> None:
    first = runner.run("first", trials=30, strategy="random", prune=True)
    stopped = {one.key for one in first.records if one.pruned}
    second = runner.run("second", trials=30, strategy="random", reuse="same")
    assert stopped
    for one in second.records:
        assert (one.reused_from is None) == (one.key in stopped)
        assert not one.pruned


def test_what_another_run_knows_of_a_candidate_changes_nothing_in_a_run_that_prunes(runner: Any) -> None:
    alone = runner.run("alone", trials=30, strategy="random", prune=True)
    runner.run("whole", trials=30, strategy="random")
    taking = runner.run("taking", trials=30, strategy="random", prune=True, reuse="same")
    assert any(one.reused_from == "whole" and one.pruned for one in taking.records)
    assert [(one.key, one.measurement.curve) for one in taking.records] == [
        (one.key, one.measurement.curve) for one in alone.records
    ]


def test_networks_below_each_of_several_budgets_are_compared_with_each_other(reached: Callable[..., Record]) -> None:
    def sized(params: int) -> Record:
        record = reached(0.9)
        return replace(record, cost=replace(record.cost, params=params))

    history = [sized(params) for params in (400, 999, 1_000, 2_500, 9_000)]
    of = {
        bound: [one.cost.params for one in comparable(history, params, (1_000, 3_000, 10_000))]
        for bound, params in ((1_000, 700), (3_000, 1_000), (10_000, 3_000))
    }
    assert of == {1_000: [400, 999], 3_000: [1_000, 2_500], 10_000: [9_000]}
    assert comparable(history, 700, ()) is history


def test_of_a_run_with_several_budgets_small_networks_are_not_all_stopped(runner: Any) -> None:
    settings = {"strategy": "pareto", "budgets": (1_000, 10_000), "trials": 40, "documented": {}, "lag": 1}
    small = [one.pruned for one in runner.run(**settings, prune=True).records if one.cost.params < 1_000]
    # A floor is the median of what is like them: about half of them are above it.
    assert 0 < sum(small) < len(small) / 2
