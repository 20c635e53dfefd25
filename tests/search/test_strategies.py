"""The contract that every strategy of the registry keeps, and what each of them is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinysearch.errors import RunError
from tinysearch.results.record import Measurement, Record
from tinysearch.search.candidate import Candidate
from tinysearch.search.proposer import Proposer
from tinysearch.search.recipe import Recipe
from tinysearch.search.strategies import STRATEGIES, Problem, Strategy, strategy
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace

History = Callable[[int], list[Record]]


def problem(budget: int = 10_000) -> Problem:
    return Problem(SearchSpace(), Budget(budget), Recipe())


@pytest.fixture(params=sorted(STRATEGIES))
def named(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("length", [0, 1, 7, 300])
def test_a_proposal_is_a_function_of_history_and_generator(named: str, length: int, history: History) -> None:
    past = history(length)

    def proposals(seed: int) -> list[Candidate]:
        rng = np.random.default_rng([seed, length])
        return [strategy(named, problem()).propose(past, rng) for _ in range(5)]

    assert proposals(0) == proposals(0)
    assert proposals(0) != proposals(1)


def test_a_proposal_leaves_history_and_global_generators_alone(named: str, history: History) -> None:
    past = history(20)
    before = list(past)
    state = np.random.get_state()[1].tolist()  # type: ignore[index, union-attr]  # noqa: NPY002
    strategy(named, problem()).propose(past, np.random.default_rng(0))
    assert past == before
    assert np.random.get_state()[1].tolist() == state  # type: ignore[index, union-attr]  # noqa: NPY002


@pytest.mark.parametrize("budget", [100, 600, 3_000, 10_000])
def test_what_passes_the_filter_is_below_the_budget_and_new(
    named: str, budget: int, as_record: Callable[..., Record]
) -> None:
    proposer = Proposer(strategy(named, problem(budget)), seed=0, trials=10_000, baselines={})
    past: list[Record] = []
    for trial in range(40):
        proposal = proposer.next(past)
        assert proposal is not None
        assert proposal.trial == trial
        assert proposal.cost.params < budget
        assert proposal.candidate.architecture in SearchSpace()
        assert proposal.candidate.recipe == Recipe()
        past.append(as_record(proposal.candidate.architecture, 0.5 + 0.001 * trial, trial))
    assert len({record.key for record in past}) == 40


def test_a_history_of_failures_stops_no_strategy(named: str, history: History) -> None:
    failed = [replace(record, measurement=Measurement(failure="out of memory")) for record in history(30)]
    assert strategy(named, problem()).propose(failed, np.random.default_rng(0)).architecture in SearchSpace()


def test_an_unknown_strategy_lists_the_known_ones() -> None:
    with pytest.raises(RunError, match="evolution, random"):
        strategy("annealing", problem())


@pytest.mark.parametrize("budget", [600, 10_000])
def test_random_search_spreads_over_the_whole_budget(budget: int) -> None:
    random = strategy("random", problem(budget))
    rng = np.random.default_rng(0)
    space = random.problem.space
    shares = [costs.params / budget for _ in range(200) if (costs := space.cost(random.propose([], rng).architecture))]
    fifths, _ = np.histogram(shares, bins=5, range=(0, 1))
    assert len(shares) == 200
    assert fifths.min() >= 20


def test_random_search_keeps_other_bounds_of_the_budget_too() -> None:
    tight = Problem(SearchSpace(), Budget(10_000, macs=200_000, peak_activation_bytes=5_000), Recipe())
    random = strategy("random", tight)
    rng = np.random.default_rng(0)
    assert all(tight.fits(random.propose([], rng).architecture) for _ in range(30))


def test_evolution_goes_on_from_the_best_of_the_recent(history: History) -> None:
    evolution = strategy("evolution", problem())
    past = history(60)
    best = max(past[-24:], key=lambda record: record.score)
    rng = np.random.default_rng(0)
    near_best = sum(_is_near(evolution, past, rng, best) for _ in range(40))
    assert near_best >= 5


def test_evolution_forgets_what_is_old(history: History) -> None:
    past = history(60)
    star = replace(past[0], measurement=replace(past[0].measurement, curve=past[-1].measurement.curve))
    evolution = strategy("evolution", problem())
    with_star = [evolution.propose([star, *past[1:]], np.random.default_rng(seed)) for seed in range(10)]
    without = [evolution.propose(past, np.random.default_rng(seed)) for seed in range(10)]
    assert with_star == without


def _is_near(evolution: Strategy, past: list[Record], rng: np.random.Generator, best: Record) -> bool:
    """Whether a proposal shares at least half of the choices of the best record."""
    space = evolution.problem.space
    proposal = space.encode(evolution.propose(past, rng).architecture)
    parent = space.encode(best.architecture)
    return sum(proposal.get(name) == value for name, value in parent.items()) >= 0.5 * len(parent)
