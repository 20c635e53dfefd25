"""Runs that learn from other runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tinysearch.errors import RunError
from tinysearch.results.record import Record
from tinysearch.search.strategies.registry import strategy


def keys(records: Any) -> list[str]:
    return [record.key for record in records]


@pytest.mark.parametrize("name", ["evolution", "bayesian"])
def test_what_others_found_changes_what_is_proposed_and_warms_up(name: str, runner: Any) -> None:
    runner.run("teacher", trials=14, strategy="random", seed=5)
    alone = runner.run("alone", trials=4, strategy=name, designs=0)
    taught = runner.run("taught", trials=4, strategy=name, designs=0, warm_start_trials=(("teacher", 17),))
    again = runner.run("again", trials=4, strategy=name, designs=0, warm_start_trials=(("teacher", 17),))
    assert keys(taught.records) == keys(again.records)
    assert keys(taught.records)[3:] != keys(alone.records)[3:]


def test_warm_start_trials_are_the_searched_records_of_the_first_positions(runner: Any) -> None:
    runner.run("teacher", trials=6)
    search = runner.prepare("taught", trials=2, warm_start_trials=(("teacher", 5),))
    warm_start_trials = search.proposer.warm_start_trials
    search.close()
    assert keys(warm_start_trials) == keys(runner.store.records("teacher")[3:5])
    assert all(record.origin == "search" for record in warm_start_trials)


def test_a_teacher_that_goes_on_changes_nothing_in_a_run_that_is_resumed(runner: Any, fake_worker: Any) -> None:
    runner.run("teacher", trials=8)
    given = {"trials": 12, "warm_start_trials": (("teacher", 11),)}
    whole = runner.run("whole", **given)

    def interrupt(number: int, job: Any) -> None:
        if number == 7:
            raise KeyboardInterrupt

    runner.run("parts", worker=fake_worker(interrupt), **given)
    runner.run("teacher", trials=16, resume=True)
    parts = runner.run("parts", resume=True, **given)
    assert keys(parts.records) == keys(whole.records)


def test_a_teacher_that_is_unknown_or_of_other_data_is_refused(runner: Any) -> None:
    with pytest.raises(RunError, match="nobody"):
        runner.run("taught", warm_start_trials=(("nobody", 3),))
    runner.store.create_run("stranger", "other", "f" * 16, {})
    with pytest.raises(RunError, match="stranger"):
        runner.run("taught", warm_start_trials=(("stranger", 3),))


def test_larger_budgets_are_no_mark_for_the_improvement_that_is_expected(runner: Any) -> None:
    import numpy as np

    runner.run("teacher", trials=20, strategy="random")
    records: list[Record] = [record for record in runner.store.records("teacher") if record.origin == "search"]
    search = runner.prepare("small", budget=700, strategy="bayesian")
    problem = search.proposer.strategy.problem
    search.close()
    good = [
        replace(record, measurement=replace(record.measurement, curve=record.measurement.curve[-1:]))
        for record in records
    ]
    proposed = strategy("bayesian", problem).propose(good, np.random.default_rng(0))
    assert problem.fits(proposed.architecture)


def test_what_had_another_budget_is_not_promoted_under_this_one(runner: Any) -> None:
    runner.run("teacher", trials=12, strategy="halving", documented={})
    taught = runner.run(
        "taught", trials=3, budget=700, strategy="halving", warm_start_trials=(("teacher", 12),), documented={}
    )
    assert taught.ending == "finished"
    assert all(record.cost.params < 700 for record in taught.records)
