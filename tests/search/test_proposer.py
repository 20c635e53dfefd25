from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from tinysearch.baselines.models import architectures
from tinysearch.results.record import Record
from tinysearch.search.candidate import Candidate
from tinysearch.search.proposer import Proposer
from tinysearch.search.recipe import Recipe
from tinysearch.search.strategies import Problem, RandomSearch, Strategy
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace

AsRecord = Callable[..., Record]


class Listed(Strategy):
    """Proposes what it was told to, one after another."""

    def __init__(self, problem: Problem, filters: Sequence[int]) -> None:
        super().__init__(problem)
        self._left = list(filters)

    def propose(self, history: Sequence[Record], rng: np.random.Generator) -> Candidate:
        layer = Conv(self._left.pop(0), kernel=(1, 1), bias=False)
        return Candidate(Architecture((layer,), Head("average")), self.problem.recipe)


def problem(budget: int = 10_000, space: SearchSpace | None = None) -> Problem:
    return Problem(space or SearchSpace(), Budget(budget), Recipe())


def params(filters: int) -> int:
    return 11 * filters + 10


def test_what_is_at_or_above_the_budget_is_rejected_counted_and_no_trial(as_record: AsRecord) -> None:
    proposer = Proposer(Listed(problem(params(4)), [9, 5, 4, 3, 2]), seed=0, trials=2, baselines={})
    first = proposer.next([])
    assert first is not None
    assert (first.trial, first.cost.params) == (0, params(3))
    assert proposer.rejections == {"params": 3}
    second = proposer.next([as_record(first.candidate.architecture, 0.5, 0)])
    assert second is not None
    assert (second.trial, second.cost.params) == (1, params(2))


def test_duplicates_are_rejected_however_many_there_are(as_record: AsRecord) -> None:
    seen = as_record(Architecture((Conv(3, kernel=(1, 1), bias=False),), Head("average")), 0.5, 0)
    proposer = Proposer(Listed(problem(), [3] * 200 + [2]), seed=0, trials=5, baselines={})
    proposal = proposer.next([seen])
    assert proposal is not None
    assert proposal.cost.params == params(2)
    assert proposer.rejections == {"duplicate": 200}


@pytest.mark.parametrize(("budget", "expected"), [(8_641, 3), (8_640, 2), (4_000, 1), (3_077, 0)])
def test_baselines_below_the_budget_come_first_and_are_no_trials(
    budget: int, expected: int, as_record: AsRecord
) -> None:
    proposer = Proposer(RandomSearch(problem(budget)), seed=0, trials=1, baselines=architectures())
    past: list[Record] = []
    names = []
    while (proposal := proposer.next(past)) is not None:
        names.append((proposal.origin, proposal.trial))
        past.append(replace_origin(as_record(proposal.candidate.architecture, 0.9, proposal.trial), proposal.origin))
    assert names == [("baseline", None)] * expected + [("search", 0)]


def test_the_next_proposal_needs_nothing_but_the_history(as_record: AsRecord) -> None:
    def proposals(resumed_after: int) -> list[str]:
        past: list[Record] = []
        proposer = Proposer(RandomSearch(problem()), seed=3, trials=6, baselines={})
        for trial in range(6):
            if trial == resumed_after:
                proposer = Proposer(RandomSearch(problem()), seed=3, trials=6, baselines={})
            proposal = proposer.next(past)
            assert proposal is not None
            past.append(as_record(proposal.candidate.architecture, 0.5, trial))
        return [record.key for record in past]

    assert proposals(resumed_after=0) == proposals(resumed_after=4)


def test_a_space_that_is_searched_through_ends_the_run(as_record: AsRecord) -> None:
    tree = network_choices(
        depth=(1, 1),
        filters=(1, 30),
        kinds={"conv": 1},
        kernels={"1x1": 1},
        strides={1: 1},
        paddings={"same": 1},
        activations={"relu": 1},
        norms={"none": 1},
        biases={False: 1},
        repeats={1: 1},
        shortcuts={False: 1},
        poolings={"none": 1},
        dropouts={0.0: 1},
        head_poolings={"average": 1},
        hidden={0: 1},
    )
    space = SearchSpace(tree=tree)
    proposer = Proposer(RandomSearch(problem(space=space)), seed=0, trials=100, baselines={})
    past: list[Record] = []
    while (proposal := proposer.next(past)) is not None:
        past.append(as_record(proposal.candidate.architecture, 0.5, proposal.trial))
    assert proposer.exhausted
    assert sorted(record.cost.params for record in past) == [params(filters) for filters in range(1, 31)]


def replace_origin(record: Record, origin: str) -> Record:
    from dataclasses import replace

    return replace(record, origin=origin)  # type: ignore[arg-type]
