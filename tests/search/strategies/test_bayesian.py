"""What Bayesian optimization is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tinysearch.results.record import Measurement, Record
from tinysearch.search.strategies.bayesian import Bayesian
from tinysearch.search.strategies.pareto import Pareto
from tinysearch.search.strategies.strategy import Problem
from tinysearch.search.strategies.surrogate import expected_improvement
from tinysearch.space.budget import Budget
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

Make = Callable[..., Problem]
History = Callable[[int], list[Record]]


@pytest.fixture
def within(as_record: Callable[..., Record], problem: Make) -> Callable[..., list[Record]]:
    """Return a function that makes a history in which the deeper networks are the better ones."""

    def make(length: int, budget: int = 10_000) -> list[Record]:
        space = problem().space
        rng = np.random.default_rng(length)
        drawn = [space.scaled_below(space.sample(rng), budget) for _ in range(length)]
        return [as_record(network, 0.5 + len(network.layers) / 40, trial) for trial, network in enumerate(drawn)]

    return make


@pytest.mark.parametrize(("budget", "length"), [(150, 40), (600, 4), (10_000, 0), (10_000, 40)])
def test_every_proposal_is_within_the_budget_and_unseen(
    budget: int, length: int, problem: Make, within: Callable[..., list[Record]]
) -> None:
    bayesian = Bayesian(problem(budget), pool=30)
    past = within(length, budget)
    known = {record.key for record in past}
    pending: list[Candidate] = []
    rng = np.random.default_rng(0)
    for _ in range(4):
        candidate = bayesian.propose(past, rng, pending)
        assert bayesian.problem.fits(candidate.architecture)
        assert candidate.key not in known
        known.add(candidate.key)
        pending.append(candidate)


def test_other_bounds_of_the_budget_are_kept_too(problem: Make, within: Callable[..., list[Record]]) -> None:
    tight = Problem(SearchSpace(), Budget(10_000, macs=200_000, peak_activation_bytes=5_000), Recipe())
    bayesian = Bayesian(tight, pool=30)
    assert all(tight.fits(bayesian.propose(within(30), np.random.default_rng(seed)).architecture) for seed in range(5))


def test_it_learns_what_makes_a_network_good(problem: Make, within: Callable[..., list[Record]]) -> None:
    bayesian = Bayesian(problem(), pool=60)
    past = within(60)
    drawn = [len(record.architecture.layers) for record in past]
    asked = [len(bayesian.propose(past, np.random.default_rng(seed)).architecture.layers) for seed in range(5)]
    assert np.mean(asked) > np.quantile(drawn, 0.8)


@pytest.mark.parametrize("kind", [Bayesian, Pareto])
def test_costs_of_a_history_are_without_layers_and_networks_look_the_same(
    kind: type[Bayesian], problem: Make, within: Callable[..., list[Record]]
) -> None:
    strategy, past = kind(problem(), pool=30), within(14)
    costs = [strategy.problem.space.cost(one.architecture) for one in past]
    whole = [replace(one, cost=cost) for one, cost in zip(past, costs, strict=True) if cost is not None]
    assert all(one.cost.layers for one in whole)
    assert not any(one.cost.layers for one in past)
    assert strategy.expected(past) == strategy.expected(whole)
    one, other = (strategy.propose(history, np.random.default_rng(0)) for history in (past, whole))
    assert one == other


def test_it_turns_away_from_what_fails(problem: Make, within: Callable[..., list[Record]]) -> None:
    bayesian = Bayesian(problem(), pool=60)
    past = within(60)
    depths = np.array([len(record.architecture.layers) for record in past])
    failing = [
        replace(record, measurement=Measurement(failure="out of memory")) if depth > np.median(depths) else record
        for record, depth in zip(past, depths, strict=True)
    ]
    sound = [len(bayesian.propose(past, np.random.default_rng(seed)).architecture.layers) for seed in range(5)]
    wary = [len(bayesian.propose(failing, np.random.default_rng(seed)).architecture.layers) for seed in range(5)]
    assert np.mean(wary) < np.mean(sound) - 1


def test_what_is_pending_changes_the_next_proposal(problem: Make, within: Callable[..., list[Record]]) -> None:
    bayesian = Bayesian(problem(), pool=30)
    past = within(30)
    first = bayesian.propose(past, np.random.default_rng(0))
    second = bayesian.propose(past, np.random.default_rng(0), [first])
    assert second.key != first.key


@pytest.mark.parametrize(("kind", "results", "mutants"), [("conv", 8, 120), ("separable", 8, 0), ("separable", 40, 60)])
def test_the_more_results_there_are_the_more_mutants_it_looks_at_beside_plain_networks(
    kind: str, results: int, mutants: int, problem: Make, as_record: Callable[..., Record]
) -> None:
    class Counting(Bayesian):
        looked_at = 0

        def _mutants(self, *given: Any) -> Iterator[Candidate]:
            found = list(super()._mutants(*given))
            self.looked_at += len(found)
            return iter(found)

    # Plain networks are not padded; there are none in a space that pads all of them.
    paddings = {"same": 1.0} if kind == "conv" else {"same": 1.0, "valid": 1.0}
    space = SearchSpace(tree=network_choices(kinds={kind: 1.0, "conv": 1.0}, paddings=paddings))
    rng = np.random.default_rng(0)
    networks = [space.scaled_below(space.sample(rng), 3_000) for _ in range(results)]
    bayesian = Counting(problem(3_000, space=space), warm_up=1)
    bayesian.propose([as_record(network, 0.9, trial) for trial, network in enumerate(networks)], rng)
    assert bayesian.looked_at == mutants


@pytest.mark.parametrize("results", [0, 4])
def test_when_all_plain_networks_are_known_it_proposes_others(
    results: int, problem: Make, within: Callable[..., list[Record]]
) -> None:
    bayesian, past = Bayesian(problem(130), warm_up=5), within(results, 130)
    rng, pending = np.random.default_rng(0), list[Candidate]()
    for _ in range(40):
        pending.append(bayesian.propose(past, rng, pending))
    # There are about twenty plain ones of this size.
    assert len({one.key for one in pending} - {one.key for one in past}) == 40


@pytest.mark.parametrize("baselines", [[], [0, 1, 2], [2, 3]])
def test_it_begins_at_random_and_baselines_are_no_trials_wherever_they_stand(
    baselines: list[int], problem: Make, within: Callable[..., list[Record]]
) -> None:
    bayesian = Bayesian(problem(), warm_up=5)
    past = within(4 + len(baselines))
    for place in baselines:
        past[place] = replace(past[place], origin="baseline")
    better = [replace(record, measurement=past[-1].measurement) for record in past]
    assert bayesian.propose(past, np.random.default_rng(0)) == bayesian.propose(better, np.random.default_rng(0))


def test_a_history_far_longer_than_its_memory_is_no_burden(problem: Make, within: Callable[..., list[Record]]) -> None:
    bayesian = Bayesian(problem(), pool=60, memory=20)
    past = within(40) * 250
    assert bayesian.problem.fits(bayesian.propose(past, np.random.default_rng(0)).architecture)


@pytest.fixture
def three() -> SearchSpace:
    """Return a space of three networks."""
    tree = network_choices(
        depth=(1, 1), filters=(1, 3), kinds={"conv": 1}, kernels={"3x3": 1}, strides={1: 1}, paddings={"same": 1},
        activations={"relu": 1}, norms={"none": 1}, biases={True: 1}, repeats={1: 1}, shortcuts={False: 1},
        poolings={"none": 1}, dropouts={0.0: 1}, head_poolings={"average": 1}, hidden={0: 1},
    )  # fmt: skip
    return SearchSpace(tree=tree)


def test_a_space_without_anything_left_ends(
    three: SearchSpace, problem: Make, as_record: Callable[..., Record]
) -> None:
    past = [as_record(network, 0.5, trial) for trial, network in enumerate(three.members())]
    bayesian = Bayesian(problem(space=three), warm_up=1)
    assert len(past) == 3
    assert bayesian.propose(past, np.random.default_rng(0)).architecture in three


@pytest.mark.parametrize("left", range(3))
def test_what_is_left_of_a_small_space_is_found(
    left: int, three: SearchSpace, problem: Make, as_record: Callable[..., Record]
) -> None:
    past = [as_record(network, 0.5, trial) for trial, network in enumerate(three.members())]
    del past[left]
    proposed = Bayesian(problem(space=three), warm_up=9).propose(past, np.random.default_rng(0))
    assert proposed.key not in {record.key for record in past}


def test_a_mean_of_several_outweighs_a_lucky_single(problem: Make, as_record: Callable[..., Record]) -> None:
    rng = np.random.default_rng(0)
    space = problem().space
    drawn = [space.scaled_below(space.sample(rng), 10_000) for _ in range(24)]
    past = [as_record(network, 0.97 + 0.0002 * trial, trial) for trial, network in enumerate(drawn[:22])]
    steady, lucky = drawn[22:]
    singles = [*past, as_record(steady, 0.9850, 22), as_record(lucky, 0.9855, 23)]
    more = [replace(singles[22], seed=seed, purpose="revalidation", trial=None) for seed in (1, 2, 3)]
    less = [replace(one, key=singles[23].key, architecture=lucky) for one in more]
    # It knows of these networks what is in the history.
    bayesian = Bayesian(problem(), choice=0)

    def lead(history: list[Record]) -> float:
        """Return by how much more the model expects of the steady one."""
        mean = bayesian.expected(history)
        return mean[singles[22].key] - mean[singles[23].key]

    assert lead(singles) < 0
    assert lead([*singles, *more]) > lead(singles)
    worse = [replace(one, measurement=past[11].measurement) for one in less]
    assert lead([*singles, *worse, *more]) > 0


def test_what_was_trained_with_more_parameters_by_another_recipe_is_of_use(
    problem: Make, as_record: Callable[..., Record]
) -> None:
    space = problem().space
    rng = np.random.default_rng(3)
    other = Recipe(rotation_degrees=0.0, shift_pixels=0.0)
    elsewhere = [
        as_record(network, 0.5 + len(network.layers) / 40, trial, other)
        for trial, network in enumerate(space.scaled_below(space.sample(rng), 9_000) for _ in range(60))
    ]
    bayesian = Bayesian(problem(2_000), pool=60)
    asked = [bayesian.propose(elsewhere, np.random.default_rng(seed)) for seed in range(5)]
    assert all(bayesian.problem.fits(one.architecture) and one.recipe == Recipe() for one in asked)
    drawn = [len(record.architecture.layers) for record in elsewhere]
    assert np.mean([len(one.architecture.layers) for one in asked]) > np.quantile(drawn, 0.7)


def test_expected_improvement_grows_with_mean_and_spread() -> None:
    mean, spread = np.array([0.0, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 2.0, 0.0])
    gains = expected_improvement(mean, spread, best=0.0)
    assert gains[0] == pytest.approx(1 / np.sqrt(2 * np.pi))
    assert gains[1] > gains[0]
    assert gains[2] == pytest.approx(2 * gains[0])
    assert gains[3] == pytest.approx(0, abs=1e-9)
