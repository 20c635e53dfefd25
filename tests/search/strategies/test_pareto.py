"""The front of accuracy and a cost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.errors import RunError
from tinysearch.results.hypervolume import BEYOND, hypervolume
from tinysearch.results.record import Record
from tinysearch.search.strategies.pareto import COSTS, LOWEST, Pareto, fronts
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.testing import check_strategy
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

AsRecord = Callable[..., Record]
BOUND = 10_000
BUDGETS = (1_000, 3_000, BOUND)


def problem(*budgets: int, **limits: int) -> Problem:
    return Problem(SearchSpace(), Budget(BOUND, **limits), Recipe(), budgets=budgets)


@pytest.fixture
def trained(as_record: AsRecord) -> Callable[[int], list[Record]]:
    """Return a function that makes records of networks of all sizes, of which larger and deeper ones are better."""

    def make(length: int) -> list[Record]:
        space, rng = SearchSpace(), np.random.default_rng(length)
        sizes = np.geomspace(500, BOUND, length)
        drawn = [space.scaled_below(space.sample(rng), round(size)) for size in sizes]
        scores = [1 - 3 / size**0.6 / (1 + 0.02 * len(one.layers)) for one, size in zip(drawn, sizes, strict=True)]
        return [as_record(one, score, trial) for trial, (one, score) in enumerate(zip(drawn, scores, strict=True))]

    return make


# What a network is expected to add


def expected_by_numbers(
    front: list[tuple[float, float]], cost: float, mean: float, spread: float, reference: tuple[float, float]
) -> float:
    """Return the mean of what a network of a cost adds to the hypervolume, over the quantiles of its utility."""
    from scipy.stats import norm

    before = hypervolume(front, reference)
    utilities = norm.ppf((np.arange(2_000) + 0.5) / 2_000, mean, spread)
    return float(np.mean([hypervolume([*front, (cost, -one)], reference) for one in utilities])) - before


@pytest.mark.parametrize("budgets", [(), BUDGETS])
@pytest.mark.parametrize("against", ["params", "macs"])
def test_what_is_expected_of_a_network_is_the_mean_of_what_it_adds_to_the_hypervolume(
    budgets: tuple[int, ...], against: str, trained: Callable[[int], list[Record]]
) -> None:
    bound = {"params": BOUND, "macs": 1_500_000}[against]
    strategy = Pareto(problem(*budgets, macs=1_500_000), against)
    records = [one for one in trained(14) if strategy.problem.fits(one.architecture)]
    assert len(records) > 6
    rng = np.random.default_rng(0)
    means = rng.normal(4.0, 0.5, len(records))
    candidates = [Candidate(one.architecture, Recipe()) for one in trained(9)]
    mean, spread = rng.normal(4.3, 0.5, len(candidates)), rng.uniform(0.1, 0.6, len(candidates))

    def place(params: int, macs: int) -> float:
        if against == "params" and budgets:
            # The steps are the budgets, each as wide as the others.
            return float(next(place for place, one in enumerate(budgets) if params < one))
        return math.log(max({"params": params, "macs": macs}[against], LOWEST * bound))

    front = [(place(one.cost.params, one.cost.macs), -value) for one, value in zip(records, means, strict=True)]
    # What is nowhere on the front is as good as the worst.
    steps = len(budgets) if against == "params" and budgets else math.log(BEYOND * bound)
    reference = (float(steps), -float(means.min()))
    found = strategy._gain(records, means)(candidates, mean, spread)
    for one, *luck, gain in zip(candidates, mean, spread, found, strict=True):
        cost = strategy.problem.space.cost(one.architecture)
        assert cost is not None
        wanted = expected_by_numbers(front, place(cost.params, cost.macs), *luck, reference)
        assert gain == pytest.approx(wanted, rel=0.01, abs=1e-4)


# Fronts


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14))
def test_fronts_come_one_after_the_other(given: list[tuple[int, int]]) -> None:
    costs, values = np.array([one[0] for one in given], float), np.array([one[1] for one in given], float)
    order = list(fronts(costs, values))
    assert sorted(order) == list(range(len(given)))

    def dominates(one: int, other: int) -> bool:
        return costs[one] <= costs[other] and values[one] >= values[other] and given[one] != given[other]

    # Nothing comes before what dominates it.
    for one, other in itertools.combinations(order, 2):
        assert not dominates(other, one)


def test_of_a_front_its_ends_come_first_then_what_would_be_missed_most() -> None:
    costs = np.array([1.0, 2.0, 3.0, 4.0, 9.0])
    values = np.array([1.0, 1.1, 3.0, 3.1, 5.0])
    assert list(fronts(costs, values)) == [0, 4, 2, 3, 1]


# Proposals


@pytest.mark.parametrize(
    "against", [one if one == "flash" else pytest.param(one, marks=pytest.mark.slow) for one in COSTS]
)
def test_it_keeps_the_contract_of_strategies_against_every_cost(against: str) -> None:
    check_strategy(f"pareto:{against}", lengths=(0, 7))


@pytest.mark.parametrize("lengths", [(1, 7), pytest.param((300,), marks=pytest.mark.slow)])
def test_it_keeps_the_contract_of_strategies_with_several_budgets(lengths: tuple[int, ...]) -> None:
    check_strategy(lambda given: Pareto(replace(given, budgets=(500, 1_000, given.budget.params))), lengths=lengths)


def test_it_begins_with_networks_of_all_sizes() -> None:
    strategy, rng = Pareto(problem()), np.random.default_rng(0)
    costs = [strategy.problem.space.cost(strategy.propose([], rng).architecture) for _ in range(40)]
    sizes = np.array([one.params for one in costs if one is not None])
    assert len(sizes) == 40
    assert LOWEST * BOUND / 2 < sizes.min() < 1.6 * LOWEST * BOUND
    assert BOUND / 1.6 < sizes.max() < BOUND
    assert 0.3 < np.mean(sizes < math.sqrt(LOWEST) * BOUND) < 0.7


def test_with_several_budgets_it_begins_just_below_each_of_them() -> None:
    strategy, rng = Pareto(problem(*BUDGETS)), np.random.default_rng(0)
    costs = [strategy.problem.space.cost(strategy.propose([], rng).architecture) for _ in range(30)]
    near = [
        next(place for place, bound in enumerate(BUDGETS) if one.params < bound) for one in costs if one is not None
    ]
    assert min(near.count(place) for place in range(3)) > 3
    assert all(one is not None and one.params >= 0.8 * BUDGETS[place] for one, place in zip(costs, near, strict=True))


@pytest.mark.parametrize("budgets", [(), BUDGETS])
def test_it_goes_on_with_networks_of_all_sizes(budgets: tuple[int, ...], as_record: AsRecord) -> None:
    strategy, records = Pareto(problem(*budgets), pool=20, drawn=20), []
    for trial in range(30):
        candidate = strategy.propose(records, np.random.default_rng([1, trial]))
        records.append(as_record(candidate.architecture, 0.0, trial))
        depth, params = len(candidate.architecture.layers), records[-1].cost.params
        records[-1] = as_record(candidate.architecture, 1 - 3 / params**0.6 / (1 + 0.02 * depth), trial)
    sizes = [one.cost.params for one in records[strategy.warm_up :]]
    assert min(sizes) < 2_000
    assert max(sizes) > 4_000


def test_it_looks_where_the_front_has_a_gap(trained: Callable[[int], list[Record]]) -> None:
    strategy = Pareto(problem(), pool=60)
    large = [one for one in trained(40) if one.cost.params > 6_000]
    proposed = [strategy.propose(large * 2, np.random.default_rng(seed)) for seed in range(4)]
    costs = [strategy.problem.space.cost(one.architecture) for one in proposed]
    assert np.median([one.params for one in costs if one is not None]) < 4_000


def test_records_without_flash_are_counted_again(trained: Callable[[int], list[Record]]) -> None:
    strategy = Pareto(problem(), "flash")
    (record,) = trained(1)
    counted = strategy.problem.space.cost(record.architecture)
    assert counted is not None
    assert strategy._cost(replace(record, cost=replace(record.cost, flash_bytes=None))) == counted.flash_bytes


def test_of_a_long_history_it_remembers_the_front_and_not_the_best_alone(
    trained: Callable[[int], list[Record]],
) -> None:
    strategy = Pareto(problem(), memory=5)
    records = trained(40)
    smallest = max((one for one in records if one.cost.params <= LOWEST * BOUND), key=lambda one: one.score)
    remembered = strategy._best(records)
    assert len(remembered) == 5
    assert smallest in remembered
    assert max(records, key=lambda one: one.score) in remembered


def test_an_unknown_cost_lists_the_known_ones() -> None:
    with pytest.raises(RunError, match="params, macs, ram, flash; got 'latency'"):
        Pareto(problem(), "latency")
