from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tinysearch.baselines.models import architectures
from tinysearch.results.record import Record
from tinysearch.search.history import TrialHistory
from tinysearch.search.proposer import Exhausted, Proposal, Proposer
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

AsRecord = Callable[..., Record]


class Listed(Strategy):
    """Proposes what it was told to, one after another."""

    def __init__(self, problem: Problem, filters: Sequence[int]) -> None:
        super().__init__(problem)
        self._left = list(filters)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        layer = Conv(self._left.pop(0), kernel=(1, 1), bias=False)
        return Candidate(Architecture((layer,), Head("average")), self.problem.recipe)


def problem(budget: int = 10_000, space: SearchSpace | None = None) -> Problem:
    return Problem(space or SearchSpace(), Budget(budget), Recipe())


def params(filters: int) -> int:
    return 11 * filters + 10


def proposals(proposer: Proposer, as_record: AsRecord, history: TrialHistory | None = None) -> list[Proposal]:
    """Return all proposals, each with its training done before the next one."""
    history = TrialHistory(lag=1) if history is None else history
    made = []
    while isinstance(proposal := proposer.next(history), Proposal):
        made.append(proposal)
        history.propose(proposal.candidate, proposal.rejections)
        history.record(proposal.position, as_record(proposal.candidate.architecture, 0.5, proposal.trial))
    return made


def test_what_is_at_or_above_the_budget_is_rejected_counted_and_no_trial(as_record: AsRecord) -> None:
    proposer = Proposer(Listed(problem(params(4)), [9, 5, 4, 3, 2]), seed=0, trials=2, baselines={})
    first, second = proposals(proposer, as_record)
    assert (first.trial, first.cost.params, first.rejections) == (0, params(3), {"params": 3})
    assert (second.trial, second.cost.params, second.rejections) == (1, params(2), {})


def test_duplicates_are_rejected_however_many_there_are(as_record: AsRecord) -> None:
    proposer = Proposer(Listed(problem(), [3] * 201 + [2]), seed=0, trials=2, baselines={})
    first, second = proposals(proposer, as_record)
    assert (first.cost.params, second.cost.params) == (params(3), params(2))
    assert second.rejections == {"duplicate": 200}


def test_what_is_under_way_is_not_proposed_again() -> None:
    proposer = Proposer(Listed(problem(), [3, 3, 2]), seed=0, trials=2, baselines={})
    history = TrialHistory(lag=2)
    first = proposer.next(history)
    assert isinstance(first, Proposal)
    history.propose(first.candidate, first.rejections)
    second = proposer.next(history)
    assert isinstance(second, Proposal)
    assert second.cost.params == params(2)


@pytest.mark.parametrize(("budget", "expected"), [(8_641, 3), (8_640, 2), (4_000, 1), (3_077, 0)])
def test_baselines_come_first_and_are_no_trials(budget: int, expected: int, as_record: AsRecord) -> None:
    bound = problem(budget)
    fitting = {name: model for name, model in architectures().items() if bound.fits(model)}
    made = proposals(Proposer(RandomSearch(bound), seed=0, trials=1, baselines=fitting), as_record)
    assert [(one.origin, one.trial) for one in made] == [("baseline", None)] * expected + [("search", 0)]


def test_the_next_proposal_needs_nothing_but_the_history(as_record: AsRecord) -> None:
    def keys(*trials: int) -> list[str]:
        history = TrialHistory(lag=1)
        return [
            proposal.candidate.key
            for upto in trials
            for proposal in proposals(Proposer(RandomSearch(problem()), 3, upto, {}), as_record, history)
        ]

    assert keys(6) == keys(4, 6)


@pytest.mark.usefixtures("hasty_draws")
def test_a_space_that_is_searched_through_ends_the_run(
    as_record: AsRecord, pointwise: Callable[[int, int], SearchSpace]
) -> None:
    proposer = Proposer(RandomSearch(problem(space=pointwise(1, 30))), seed=0, trials=100, baselines={})
    history = TrialHistory(lag=1)
    made = proposals(proposer, as_record, history)
    assert isinstance(proposer.next(history), Exhausted)
    assert sorted(proposal.cost.params for proposal in made) == [params(filters) for filters in range(1, 31)]


class Larger(Strategy):
    """Proposes networks over the budget, as random draws are just above the smallest network."""

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        return Candidate(Architecture((Conv(64),), Head("average")), self.problem.recipe)


def test_the_smallest_network_of_a_large_space_is_found(as_record: AsRecord) -> None:
    space = SearchSpace()
    below = problem(space.smallest().params + 1, space)
    proposer = Proposer(Larger(below), seed=0, trials=2, baselines={})
    (found,) = proposals(proposer, as_record)
    assert found.candidate.architecture == space.smallest_member()
    assert found.rejections == {"params": proposer.patience}


class Changing(Listed):
    """Empties its history."""

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        history.clear()  # type: ignore[attr-defined]
        return super().propose(history, rng, pending)


def test_a_strategy_cannot_change_the_history_of_the_run(as_record: AsRecord) -> None:
    history = TrialHistory(lag=1)
    assert len(proposals(Proposer(Changing(problem(), [1, 2, 3, 4]), 0, 4, {}), as_record, history)) == 4
    assert len(history.records()) == 4
