from __future__ import annotations

import pytest

from tinysearch.errors import BudgetError
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
    assert "multiply-accumulates are above the limit of 1,000; raise `max_macs=`" in said
    assert "flash" not in said
    assert "RAM" not in said


def test_all_that_one_network_exceeds_is_named() -> None:
    with pytest.raises(BudgetError, match=r"bytes of flash are above .*; raise `max_macs=` and `max_flash=`$"):
        check_reachable(_problem(Budget(1_000, macs=1_000, flash_bytes=500)))


def test_constraints_that_reject_everything_are_named() -> None:
    with pytest.raises(BudgetError, match="the constraints reject each of 300 random networks"):
        check_reachable(_problem(Budget(1_000, macs=60_000), Nothing()))
