"""Networks of plain stages that a search begins with."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from tinysearch.space.architecture import Architecture, Conv, Pool, SeparableConv
from tinysearch.space.budget import Budget
from tinysearch.space.designs import designs, largest_design, random_plan
from tinysearch.space.notation import notation
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task

TASKS = [Task(), Task((8, 8, 1), 10), Task((32, 32, 3), 10), Task((96, 96, 3), 2), Task((121, 1, 6), 8)]


def everything(_: Architecture) -> bool:
    return True


@pytest.mark.parametrize("params", [700, 1_000, 3_000, 10_000, 40_000])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: "x".join(map(str, task.input_shape)))
def test_designs_are_members_below_the_bound_and_use_most_of_it(task: Task, params: int) -> None:
    space = SearchSpace(task)
    found = list(designs(space, params, everything))
    assert len(found) >= 5
    assert len(set(found)) == len(found)
    for design in found:
        cost = space.cost(design)
        assert design in space
        assert cost is not None
        assert 0.8 * params <= cost.params < params


def test_on_mnist_images_are_pooled_once_after_the_first_convolutions() -> None:
    for design in designs(SearchSpace(), 3_000, everything):
        pools = [index for index, layer in enumerate(design.layers) if isinstance(layer, Pool)]
        assert pools in ([2], [3])


def test_the_first_ones_are_of_separable_convolutions() -> None:
    first, second = itertools.islice(designs(SearchSpace(), 1_000, everything), 2)
    assert notation(first) == "c5 s8 M s11 s10 s11"
    assert notation(second) == "c4 s6 M s7 s9 s10 s11"


def test_larger_images_are_halved_more_often() -> None:
    small, large = (next(iter(designs(SearchSpace(Task(shape, 2)), 5_000, everything))) for shape in SHAPES)
    assert halvings(small) < halvings(large)
    first = large.layers[0]
    assert isinstance(first, Conv)
    assert first.stride == 2


SHAPES: tuple[tuple[int, int, int], ...] = ((28, 28, 3), (96, 96, 3))


def halvings(design: Architecture) -> int:
    return sum(isinstance(layer, Pool) or getattr(layer, "stride", 1) == 2 for layer in design.layers)


def test_within_little_memory_they_begin_with_a_stride_and_are_as_large_as_they_may_be() -> None:
    space, budget = SearchSpace(), Budget(1_000, peak_activation_bytes=1_500)

    def fits(design: Architecture) -> bool:
        cost = space.cost(design)
        return cost is not None and budget.check(cost).accepted

    found = list(designs(space, 1_000, fits))
    assert len(found) >= 5
    for design in found:
        assert fits(design)
        assert getattr(design.layers[0], "stride", 1) == 2
        cost = space.cost(design)
        assert cost is not None
        assert cost.params >= 800


def test_where_the_space_has_no_separable_convolutions_there_are_standard_ones() -> None:
    space = SearchSpace(Task(), tree_of({"format": 2, "kinds": ["conv"]}))
    for design in designs(space, 5_000, everything):
        assert not any(isinstance(layer, SeparableConv) for layer in design.layers)


def test_a_space_that_has_none_of_them_begins_without() -> None:
    space = SearchSpace(Task(), tree_of({"format": 2, "head_poolings": ["flatten"]}))
    assert list(designs(space, 5_000, everything)) == []


def test_where_nothing_fits_there_are_none() -> None:
    assert list(designs(SearchSpace(), 5_000, lambda _: False)) == []


@pytest.mark.parametrize("params", [700, 3_000, 40_000])
@pytest.mark.parametrize("task", TASKS, ids=lambda task: "x".join(map(str, task.input_shape)))
def test_random_ones_differ_and_are_members_that_use_most_of_the_bound(task: Task, params: int) -> None:
    space, rng = SearchSpace(task), np.random.default_rng(0)
    found = [largest_design(space, random_plan(rng), params, everything) for _ in range(20)]
    assert len(set(found)) >= 10
    for design in found:
        assert design is not None
        cost = space.cost(design)
        assert design in space
        assert cost is not None
        assert 0.8 * params <= cost.params < params


def test_the_generator_decides_which_one_is_drawn() -> None:
    one, same, other = (random_plan(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_where_nothing_fits_no_plan_has_a_network() -> None:
    assert largest_design(SearchSpace(), random_plan(np.random.default_rng(0)), 3_000, lambda _: False) is None
