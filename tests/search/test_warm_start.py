"""Runs that learn from other runs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tinysearch.errors import RunError
from tinysearch.results.record import Measurement, Record
from tinysearch.search import warm_start
from tinysearch.search.outline import outline
from tinysearch.search.plugins import Plugins
from tinysearch.search.settings import RunSettings, WarmStart
from tinysearch.search.strategies.evolution import Evolution
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.warm_start import available, learnt_from


def keys(records: Any) -> list[str]:
    return [record.key for record in records]


@pytest.mark.parametrize("name", ["evolution", "bayesian"])
def test_what_others_found_changes_what_is_proposed_and_warms_up(name: str, runner: Any) -> None:
    runner.run("teacher", trials=14, strategy="random", seed=5)
    alone = runner.run("alone", trials=2, strategy=name, designs=0)
    taught = runner.run("taught", trials=2, strategy=name, designs=0, warm_start_trials=(("teacher", 17),))
    again = runner.run("again", trials=2, strategy=name, designs=0, warm_start_trials=(("teacher", 17),))
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


# Without being asked


@pytest.fixture
def settings() -> RunSettings:
    return RunSettings(strategy="evolution")


def test_all_searches_on_the_same_images_are_learnt_from(runner: Any, settings: RunSettings) -> None:
    runner.run("first", trials=3)
    runner.run("second", trials=2, budget=2_000)
    runner.store.create_run("other images", "other", "f" * 16, settings.to_dict())
    runner.store.append(replace(runner.store.records("first")[3], run="other images", fingerprint="f" * 16, position=0))
    runner.store.create_run("a reproduction", "noise", runner.dataset.fingerprint, {})
    assert available(runner.store, runner.dataset.fingerprint, settings) == (("first", 6, 0), ("second", 2, 0))
    assert available(runner.store, "f" * 16, settings) == (("other images", 1, 0),)
    assert available(runner.store, "e" * 16, settings) == ()


@pytest.mark.parametrize("named", ["random", "tinysearch.search.strategies.random:RandomSearch"])
def test_nothing_is_learnt_by_a_strategy_that_would_not_look(named: str, runner: Any) -> None:
    runner.run("first", trials=3)
    assert available(runner.store, runner.dataset.fingerprint, RunSettings(strategy=named)) == ()


def test_whether_a_strategy_would_look_is_asked_of_the_value_that_was_given(runner: Any) -> None:
    runner.run("first", trials=3)
    settings = RunSettings(strategy="nowhere:Mine")
    for given, learnt in ((RandomSearch, 0), (Evolution, 1), (lambda problem: Evolution(problem), 1)):
        found = available(runner.store, runner.dataset.fingerprint, settings, Plugins(strategy=given))
        assert len(found) == learnt


def test_what_was_trained_for_fewer_epochs_is_not_learnt_from(runner: Any, settings: RunSettings) -> None:
    runner.run("first", trials=3)
    longer = replace(settings, recipe=replace(settings.recipe, epochs=20))
    assert available(runner.store, runner.dataset.fingerprint, longer) == ()


def test_the_latest_runs_are_learnt_from_where_there_are_many(
    runner: Any, settings: RunSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, trials in (("early", 3), ("long", 9), ("late", 4)):
        runner.run(name, trials=trials, documented={})
    monkeypatch.setattr(warm_start, "MOST", 8)
    assert available(runner.store, runner.dataset.fingerprint, settings) == (("early", 3, 0), ("late", 4, 0))


def test_revalidations_are_learnt_from_as_far_as_there_were_some(runner: Any, settings: RunSettings) -> None:
    runner.run("teacher", trials=3, documented={})
    first, second, _ = runner.store.records("teacher")

    def again(record: Record, seed: int) -> Record:
        changes = {"purpose": "revalidation", "trial": None, "position": None, "seed": seed}
        return replace(record, **changes)

    runner.store.append(again(first, 1))
    (extent,) = available(runner.store, runner.dataset.fingerprint, settings)
    assert extent == WarmStart("teacher", 3, 1)
    runner.store.append(again(second, 2))
    runner.store.append(replace(first, purpose="evaluation", trial=None, position=None, seed=5, test_accuracy=0.5))
    learnt = learnt_from(runner.store, extent, settings)
    assert [one.purpose for one in learnt] == ["search"] * 3 + ["revalidation"]
    assert learnt[-1].seed == 1
    given = {"trials": 1, "warm_start_trials": (extent,), "documented": {}}
    for name, number in (("evolution", 3), ("bayesian", 4)):
        with runner.prepare(name, strategy=name, **given) as run:
            assert len(run.proposer.warm_start_trials) == number
            assert RunSettings.from_dict(runner.store.run(name).settings).warm_start_trials == (extent,)


def test_failures_are_learnt_from_too(runner: Any, settings: RunSettings) -> None:
    runner.run("teacher", trials=2, documented={})
    failed = replace(runner.store.records("teacher")[0], measurement=Measurement(failure="out of memory"))
    runner.store.append(replace(failed, key="f" * 12, position=2, trial=2))
    assert len(learnt_from(runner.store, WarmStart("teacher", 3), settings)) == 3


def test_the_plan_says_what_is_learnt_from(runner: Any) -> None:
    runner.run("teacher", trials=3, documented={})
    with runner.prepare("taught", trials=1, warm_start_trials=(("teacher", 3),)) as run:
        (words,) = (value for title, value in outline(run, 1) if title == "warm start")
    assert words.startswith("3 trainings of teacher on the same data")
    with runner.prepare("alone", trials=1) as run:
        assert "warm start" not in dict(outline(run, 1))
