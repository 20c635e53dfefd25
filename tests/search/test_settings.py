from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tinysearch.errors import BudgetError, RunError, SpaceError
from tinysearch.search.settings import RunSettings
from tinysearch.space.budget import Budget
from tinysearch.training.recipe import Recipe


def settings(**given: Any) -> RunSettings:
    return RunSettings(Budget(10_000), Recipe(), **given)


def stored(**given: Any) -> RunSettings:
    """Settings as an earlier release wrote them: what is given here is not rewritten."""
    return RunSettings.from_dict(json.loads(json.dumps({**settings().to_dict(), **given})))


def test_settings_survive_json() -> None:
    given = settings(space={"format": 2, "filters": [8, 16], "kernels": [["5x5", 2], ["3x3", 1]]}, trials=3)
    assert RunSettings.from_dict(json.loads(json.dumps(given.to_dict(), sort_keys=True))) == given


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({}, {"format": 2}),
        ({"depth": [1, 2], "kinds": ["conv"]}, {"format": 2, "kinds": ["conv"], "depth": "1..2"}),
        ({"depth": [1, 2], "kinds": ["conv"]}, {"depth": (1, 2), "kinds": ("conv",)}),
        ({"filters": [4, 16, 8]}, {"format": 2, "filters": {"from": 4, "to": 16, "likely": 8}}),
        ({"kernels": [["3x3", 5], ["5x5", 1]]}, {"format": 2, "kernels": {"3x3": 5, "5x5": 1}}),
    ],
)
def test_a_stored_space_of_the_old_format_is_equal_to_the_same_in_the_new_one(
    before: dict[str, Any], now: dict[str, Any]
) -> None:
    assert stored(space=before) == settings(space=before) == settings(space=now)
    assert stored(space=before).to_dict() == settings(space=now).to_dict()


def test_a_range_and_options_are_different_spaces() -> None:
    assert settings(space={"filters": [8, 32]}) != settings(space={"format": 2, "filters": [8, 32]})


def test_the_order_of_options_is_part_of_the_settings_as_a_seed_draws_by_it() -> None:
    one, other = ({"format": 2, "kinds": kinds} for kinds in (["conv", "separable"], ["separable", "conv"]))
    assert settings(space=one) != settings(space=other)


def test_a_space_that_is_not_legal_is_refused() -> None:
    with pytest.raises(SpaceError, match="widths"):
        settings(space={"widths": [1]})


@pytest.mark.parametrize("name", ["trials", "seed", "lag", "evaluate", "folds"])
def test_whole_numbers_of_any_library_are_kept_as_plain_ones(name: str) -> None:
    given = settings(**{name: np.int64(2)})
    assert given == settings(**{name: 2})
    assert json.dumps(given.to_dict()) == json.dumps(settings(**{name: 2}).to_dict())
    for value in (2.0, True, "2", None):
        with pytest.raises(RunError, match=f"{name} must be a whole number"):
            settings(**{name: value})


def test_several_budgets_are_kept_from_the_smallest_to_the_largest() -> None:
    given = settings(budgets=[10_000, np.int64(1_000)])
    assert given.budgets == (1_000, 10_000)
    assert RunSettings.from_dict(json.loads(json.dumps(given.to_dict()))) == given


def test_where_there_is_one_budget_nothing_is_written_of_several() -> None:
    assert "budgets" not in settings().to_dict()


@pytest.mark.parametrize("budgets", [(1_000, 1_000, 10_000), (0, 10_000), (True, 10_000), (2.5, 10_000)])
def test_budgets_that_are_no_different_whole_numbers_are_refused(budgets: tuple[Any, ...]) -> None:
    with pytest.raises(BudgetError, match="different whole numbers"):
        settings(budgets=budgets)


@pytest.mark.parametrize("budgets", [(1_000,), (1_000, 20_000)])
def test_the_largest_of_several_budgets_is_that_of_the_run(budgets: tuple[int, ...]) -> None:
    with pytest.raises(BudgetError, match="must be the budget of the run, 10,000 parameters; got"):
        settings(budgets=budgets)
