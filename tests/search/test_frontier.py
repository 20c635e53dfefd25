from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest

from tinysearch.results.record import Record
from tinysearch.search.frontier import initial_candidates
from tinysearch.space.architecture import Architecture, Conv, Head, Pool
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import Recipe

AsRecord = Callable[[Architecture, float, int], Record]


def network(width: int, depth: int = 3) -> Architecture:
    block = Conv(width, padding="valid", norm="before", bias=False)
    return Architecture((block, Pool(), *(block for _ in range(depth - 1))), Head("average"))


@pytest.mark.parametrize("budget", [1_000, 3_000, 12_000])
def test_the_best_networks_are_made_to_just_fit_the_new_budget(as_record: AsRecord, budget: int) -> None:
    space = SearchSpace()
    records = [as_record(network(width, width), 0.9 + width / 1000, width) for width in (5, 4, 3, 2)]
    found = initial_candidates(records, space, budget)
    assert [len(one.architecture.layers) for one in found] == [6, 5, 4]
    for one in found:
        counted = space.cost(one.architecture)
        assert counted is not None
        assert 0.7 * budget < counted.params < budget


def test_networks_that_become_the_same_count_once_and_others_take_their_place(as_record: AsRecord) -> None:
    records = [as_record(network(width), 0.9, width) for width in (9, 8, 7)] + [as_record(network(6, 4), 0.8, 4)]
    assert [len(one.architecture.layers) for one in initial_candidates(records, SearchSpace(), 3_000)] == [4, 5]


def test_what_failed_was_evaluated_or_is_not_in_the_space_is_passed_over(as_record: AsRecord) -> None:
    record = as_record(network(5), 0.9, 0)
    failed = dataclasses.replace(record, measurement=dataclasses.replace(record.measurement, failure="nan"))
    evaluated = dataclasses.replace(record, purpose="evaluation")
    outside = as_record(Architecture((Pool(),), Head("average")), 0.9, 1)
    assert initial_candidates([failed, evaluated, outside], SearchSpace(), 3_000) == ()


def test_heirs_keep_their_recipe(as_record: AsRecord) -> None:
    quick = Recipe(learning_rate=0.2, ema_momentum=0.99)
    record = dataclasses.replace(as_record(network(5), 0.9, 0), recipe=quick.to_dict())
    assert [one.recipe for one in initial_candidates([record], SearchSpace(), 3_000)] == [quick]


def test_a_budget_that_no_network_can_be_brought_below_has_no_heirs(as_record: AsRecord) -> None:
    assert initial_candidates([as_record(network(5, 5), 0.9, 0)], SearchSpace(), 25) == ()
