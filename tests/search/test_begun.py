"""Who types a command again instead of resuming learns of the run that was interrupted."""

from __future__ import annotations

from typing import Any

import pytest

from tinysearch.search.begun import begun_before
from tinysearch.search.outline import outline

SETTINGS: dict[str, Any] = {"trials": 3, "folds": 1, "evaluate": 0}


def begun(runner: Any, **settings: Any) -> None:
    """Leave a run as it is when it is interrupted after two trainings."""
    runner.run("first", **{**SETTINGS, "trials": 2, **settings})
    with runner.prepare("first", resume=True, **{**SETTINGS, **settings}) as run:
        # So begins a search that goes on.
        run.store.reopen(run.name)


def test_an_interrupted_run_with_the_same_settings_is_named_with_what_resumes_it(runner: Any) -> None:
    begun(runner)
    with runner.prepare("second", **SETTINGS) as run:
        said = begun_before(run)
        plan = dict(outline(run, 1))
    assert said is not None
    assert "first has the same settings and was interrupted after 2 of 3 trials" in said
    assert said.endswith("to resume it, give `name='first'` and `resume=True`")
    assert plan["note"] == said


def test_a_frontier_is_resumed_by_its_name_alone(runner: Any) -> None:
    several = {"budgets": (3_000, 10_000), "strategy": "pareto"}
    begun(runner, **several)
    with runner.prepare("second", **SETTINGS, **several) as run:
        said = begun_before(run)
    assert said is not None
    assert said.endswith("to resume it, give `name='first'`")


def test_that_it_goes_further_or_knows_of_other_runs_makes_no_difference(runner: Any) -> None:
    begun(runner)
    other = {"trials": 9, "threads": 7, "warm_start_trials": (("first", 2),)}
    with runner.prepare("second", **{**SETTINGS, **other}) as run:
        assert begun_before(run) is not None


def test_a_run_that_an_earlier_version_began_is_named_too(runner: Any) -> None:
    begun(runner)
    written = dict(runner.store.run("first").settings)
    early = {name: written[name] for name in written.keys() - {"objective", "direction", "own_space", "constraints"}}
    runner.store.note_settings("first", early)
    with runner.prepare("second", **SETTINGS) as run:
        assert "first has the same settings" in (begun_before(run) or "")


def test_a_run_whose_settings_cannot_be_read_is_passed_over(runner: Any) -> None:
    begun(runner)
    fingerprint = runner.dataset.fingerprint
    runner.store.create_run("damaged", "noise", fingerprint, {"trials": 3, "recipe": 5})
    runner.store.create_run("unknown", "noise", fingerprint, {**runner.store.run("first").settings, "strategy": "?"})
    with runner.prepare("second", **SETTINGS) as run:
        assert "first has the same settings" in (begun_before(run) or "")


@pytest.mark.parametrize("other", [{"seed": 1}, {"budget": 5_000}, {"strategy": "random"}])
def test_a_run_with_other_settings_is_not(runner: Any, other: dict[str, Any]) -> None:
    begun(runner)
    with runner.prepare("second", **{**SETTINGS, **other}) as run:
        assert begun_before(run) is None


def test_a_run_that_is_over_is_not(runner: Any) -> None:
    runner.run("first", **SETTINGS)
    with runner.prepare("second", **SETTINGS) as run:
        assert begun_before(run) is None
        assert "note" not in dict(outline(run, 1))


def test_one_whose_winner_was_not_evaluated_is_not_over(runner: Any) -> None:
    runner.run("first", **{**SETTINGS, "evaluate": 2})
    with runner.prepare("second", **{**SETTINGS, "evaluate": 2}) as run:
        assert "was interrupted before its winner was evaluated" in (begun_before(run) or "")
        # Earlier versions called it finished.
        run.store.finish("first")
        assert "was interrupted before its winner was evaluated" in (begun_before(run) or "")


def test_one_that_was_killed_after_its_search_is_not_over_either(runner: Any) -> None:
    runner.run("first", **SETTINGS)
    runner.store.reopen("first")
    with runner.prepare("second", **SETTINGS) as run:
        assert "was interrupted after its search" in (begun_before(run) or "")


def test_a_run_that_another_process_carries_out_is_not(runner: Any) -> None:
    with runner.prepare("first", **SETTINGS), runner.prepare("second", **SETTINGS) as run:
        assert begun_before(run) is None


def test_a_run_that_goes_on_says_nothing_of_others(runner: Any) -> None:
    begun(runner)
    with runner.prepare("first", resume=True, **SETTINGS) as run:
        assert "note" not in dict(outline(run, 1))
