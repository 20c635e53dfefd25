from __future__ import annotations

import re

import pytest

from tinysearch.errors import BudgetError
from tinysearch.search.given import settings_of
from tinysearch.search.reachable import check_reachable
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget, Verdict
from tinysearch.space.cost import Cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import Recipe


class Nothing:
    """Reject whatever comes."""

    name = "nothing"

    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        return Verdict(False, self.name, "not this one")


def _problem(budget: Budget, *constraints: Nothing) -> Problem:
    return Problem(SearchSpace(), budget, Recipe(), constraints=constraints)


def test_limits_that_some_network_keeps_are_accepted() -> None:
    check_reachable(_problem(Budget(1_000)))
    check_reachable(_problem(Budget(1_000, macs=50_000, flash_bytes=16_000)))


def test_fewer_parameters_than_any_network_has_are_refused() -> None:
    with pytest.raises(BudgetError, match=r"below the budget of 5 parameters: the smallest one has \d+"):
        check_reachable(_problem(Budget(5)))


def test_a_memory_in_which_no_image_has_room_is_refused() -> None:
    with pytest.raises(BudgetError, match="an image of 28x28x1 alone takes 784 bytes of RAM"):
        check_reachable(_problem(Budget(1_000, peak_activation_bytes=700)))


def test_only_the_limits_that_the_closest_network_exceeds_are_named() -> None:
    with pytest.raises(BudgetError) as error:
        check_reachable(_problem(Budget(1_000, macs=1_000, peak_activation_bytes=60_000, flash_bytes=60_000)))
    said = str(error.value)
    assert re.search(
        r"multiply-accumulates are above the limit of 1,000; raise `max_macs=` to at least \d+,\d+ MACs$", said
    )
    assert "flash" not in said
    assert "RAM" not in said


def test_all_that_one_network_exceeds_is_named() -> None:
    raised = r"; raise `max_macs=` to at least [\d,]+ MACs and `max_flash=` to at least [\d,]+ bytes"
    with pytest.raises(BudgetError, match=f"bytes of flash are above .*{raised}"):
        check_reachable(_problem(Budget(1_000, macs=1_000, flash_bytes=500)))


@pytest.mark.parametrize(("name", "limit"), [("max_flash", 1), ("max_flash", 900), ("max_macs", 1)])
def test_the_limit_that_was_given_is_named_with_the_smallest_that_can_be_met(name: str, limit: int) -> None:
    def of(value: int) -> Problem:
        return _problem(settings_of({name: value}, None, None).budget)  # type: ignore[arg-type]

    with pytest.raises(BudgetError) as error:
        check_reachable(of(limit))
    said = str(error.value)
    assert f"above the limit of {limit:,}; raise `{name}=` to at least" in said
    assert "param" not in said
    least = int(re.search(r"at least ([\d,]+) (bytes|MACs)$", said)[1].replace(",", ""))  # type: ignore[index]
    check_reachable(of(least))


def test_a_budget_of_parameters_that_was_given_beside_a_limit_is_named() -> None:
    with pytest.raises(BudgetError, match="below the budget of 5 parameters"):
        check_reachable(_problem(Budget(5, flash_bytes=1)))


def test_constraints_that_reject_everything_are_named() -> None:
    with pytest.raises(BudgetError, match="the constraints reject all of 300 random networks"):
        check_reachable(_problem(Budget(1_000, macs=60_000), Nothing()))
