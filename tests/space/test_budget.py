from __future__ import annotations

import dataclasses
import json
from typing import Any

import numpy as np
import pytest

from tinysearch.errors import BudgetError
from tinysearch.space.budget import Budget, Verdict, several_bounds
from tinysearch.space.cost import Cost

COST = Cost(params=100, non_trainable_params=0, macs=200, peak_activation_bytes=300, int8_weight_bytes=400)


def test_params_at_the_budget_are_rejected() -> None:
    verdict = Budget(100).check(COST)
    assert not verdict.accepted
    assert verdict.reason == "params"
    assert verdict.message == "100 parameters are at or above the budget of 100"


def test_params_below_the_budget_are_accepted() -> None:
    assert Budget(101).check(COST) == Verdict(True)


@pytest.mark.parametrize("name", ["macs", "peak_activation_bytes", "int8_weight_bytes"])
def test_the_other_bounds_are_inclusive(name: str) -> None:
    bound = getattr(COST, name)
    assert Budget(101, **{name: bound}).check(COST).accepted
    verdict = Budget(101, **{name: bound - 1}).check(COST)
    assert (verdict.accepted, verdict.reason) == (False, name)
    assert f"{bound:,}" in verdict.message
    assert f"{bound - 1:,}" in verdict.message


def test_the_first_bound_that_does_not_hold_is_the_reason() -> None:
    assert Budget(1, 1, 1, 1).check(COST).reason == "params"
    assert Budget(101, 1, 1, 1).check(COST).reason == "macs"
    assert Budget(101, None, 1, 1).check(COST).reason == "peak_activation_bytes"
    assert Budget(101, None, None, 1).check(COST).reason == "int8_weight_bytes"


@pytest.mark.parametrize(
    "bound", [10_000, 1e4, np.float32(1e4), np.int64(10_000), "10k", "1e4", "10_000", "10,000", "10000"]
)
def test_counts_are_taken_as_people_write_them(bound: Any) -> None:
    assert Budget.of(bound) == Budget(10_000)
    assert Budget(1, macs=bound) == Budget(1, macs=10_000)
    assert type(Budget(bound).params) is int


@pytest.mark.parametrize("bounds", [[1_000, "1k"], [0], ["ten"], [True], "1k,2k", 5])
def test_several_bounds_are_different_whole_numbers(bounds: Any) -> None:
    with pytest.raises(BudgetError, match="different whole numbers"):
        several_bounds(bounds)
    assert several_bounds(["3k", 1e3]) == (3_000, 1_000)


def test_bytes_as_a_text_are_no_count() -> None:
    # How counts may be written is no help for bytes.
    with pytest.raises(BudgetError, match=r"got '10k'$"):
        Budget(1, flash_bytes="10k")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["params", "macs", "peak_activation_bytes", "int8_weight_bytes"])
@pytest.mark.parametrize("bound", [0, -1, 1.5, float("nan"), float("inf"), True, "ten", "1.5", [10]])
def test_an_invalid_bound_is_refused_by_name_and_value(name: str, bound: Any) -> None:
    with pytest.raises(BudgetError) as caught:
        Budget(**{"params": 10, name: bound})
    assert {"params": "parameters"}.get(name, name) in str(caught.value)
    assert repr(bound) in str(caught.value)


def test_bounds_of_any_library_are_kept_as_plain_integers() -> None:
    budget = Budget(np.int64(10), macs=np.uint32(20))  # type: ignore[arg-type]
    assert budget == Budget(10, macs=20)
    assert json.dumps(budget.to_dict()) == json.dumps(Budget(10, macs=20).to_dict())


def test_a_budget_without_params_is_refused() -> None:
    with pytest.raises(BudgetError, match="a budget is a whole number of parameters, at least 1; got None"):
        Budget(None)  # type: ignore[arg-type]


def test_a_budget_is_frozen_and_plain() -> None:
    budget = Budget(10, macs=20)
    with pytest.raises(dataclasses.FrozenInstanceError):
        budget.params = 11  # type: ignore[misc]
    assert Budget(**json.loads(json.dumps(budget.to_dict()))) == budget
