"""The public contract tests find the fault in strategies and constraints that are broken."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from tinysearch.errors import PluginError
from tinysearch.results.record import Record
from tinysearch.search.plugins import Plugins
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Verdict
from tinysearch.space.constraint import Constraint
from tinysearch.space.cost import Cost
from tinysearch.testing import check_constraint, check_strategy
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

LENGTHS = (0, 3)


class Fine(Strategy):
    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        return RandomSearch.upper_budget(self.problem).propose(history, rng, pending)


class Remembers(Fine):
    """Proposes something else each time that any of its kind is asked."""

    asked = itertools.count()

    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Candidate:
        return super().propose(history, np.random.default_rng(next(self.asked)), pending)


class Global(Fine):
    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Candidate:
        np.random.rand()  # noqa: NPY002
        return super().propose(history, rng, pending)


class Changes(Fine):
    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Candidate:
        history.clear()
        return super().propose(history, rng, pending)


class Longer(Fine):
    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Candidate:
        return Candidate(super().propose(history, rng, pending).architecture, Recipe(epochs=50))


class Oversized(Fine):
    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Candidate:
        network = self.problem.space.sample_between(20_000, 60_000, rng)
        return self.problem.new_candidate(network or self.problem.space.sample(np.random.default_rng(0)), rng)


class Repeats(Fine):
    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Candidate:
        if not history:
            return super().propose(history, rng, pending)
        return Candidate(history[0].architecture, self.problem.recipe)


class Networks(Fine):
    def propose(self, history: Any, rng: Any, pending: Any = ()) -> Any:
        return super().propose(history, rng, pending).architecture


def test_a_strategy_that_keeps_the_contract_passes() -> None:
    check_strategy(Fine, lengths=LENGTHS)
    check_strategy(lambda problem: Fine(problem), lengths=LENGTHS)
    check_strategy("halving", lengths=LENGTHS)


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (Remembers, "the same history and generator give the same proposals"),
        (Global, "global generator was used"),
        (Changes, "history was changed"),
        (Longer, "trained for 1 to 9 epochs, got 50"),
        (Oversized, "nothing that is new, can be built and is within the budget"),
        (Repeats, "nothing that is new"),
        (Networks, "propose returns a Candidate"),
    ],
)
def test_the_fault_of_a_broken_strategy_is_found_and_named(broken: type[Strategy], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_strategy(broken, lengths=LENGTHS)


class Small(Constraint):
    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        return Verdict(cost.macs < 150_000, "too slow")


class Moody(Constraint):
    turns = itertools.cycle((True, False))

    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        return Verdict(next(self.turns), "mood")


class Silent(Constraint):
    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        return Verdict(False)


class Numbers(Constraint):
    def check(self, architecture: Architecture, cost: Cost) -> Any:
        return True


def test_a_constraint_that_keeps_the_contract_passes_and_holds_in_a_run(runner: Any) -> None:
    check_constraint(Small(), networks=20)
    found = runner.run(
        trials=6,
        strategy="random",
        documented={},
        constraints=("small",),
        plugins=Plugins(constraints=(("small", Small()),)),
    )
    free = runner.run("free", trials=6, strategy="random", documented={})
    assert all(one.cost.macs < 150_000 for one in found.records)
    assert any(one.cost.macs >= 150_000 for one in free.records)
    slow = next(one for one in free.records if one.cost.macs >= 150_000)
    first = (Candidate(slow.architecture, Recipe.from_dict(slow.recipe)),)
    bound = {"constraints": ("small",), "plugins": Plugins(constraints=(("small", Small()),))}
    again = runner.run("again", trials=1, documented={}, initial_candidates=first, **bound)
    assert again.rejections["too slow"] == 1


@pytest.mark.parametrize(
    ("broken", "fault"),
    [(Moody, "judged in the same way"), (Silent, "a rejection needs a reason"), (Numbers, "check returns a Verdict")],
)
def test_the_fault_of_a_broken_constraint_is_found_and_named(broken: type[Constraint], fault: str) -> None:
    with pytest.raises(AssertionError, match=fault):
        check_constraint(broken(), networks=20)


@pytest.mark.parametrize("proposed", [None, Architecture((Conv(8),), Head("average"))], ids=["None", "Architecture"])
def test_a_run_by_a_strategy_that_proposes_no_candidate_ends_with_the_sentence_of_the_contract(
    proposed: Any, runner: Any
) -> None:
    class NoCandidate(Fine):
        def propose(self, history: Any, rng: Any, pending: Any = ()) -> Any:
            return proposed

    words = r"the strategy .*NoCandidate: propose returns a Candidate, got (None|.*Conv.*); self\.problem\.candidate"
    with pytest.raises(PluginError, match=words):
        runner.run(trials=1, documented={}, plugins=Plugins(NoCandidate))
    with pytest.raises(AssertionError, match="propose returns a Candidate, got"):
        check_strategy(NoCandidate, lengths=(0,))


def test_a_run_with_a_constraint_that_gives_no_verdict_does_not_begin(runner: Any) -> None:
    plugins = Plugins(constraints=(("numbers", Numbers()),))
    with pytest.raises(PluginError, match=r"the constraint .*:Numbers: check returns a Verdict, got True"):
        runner.run(trials=1, documented={}, constraints=("numbers",), plugins=plugins)
    assert runner.store.runs() == []


def test_constraints_bind_strategies_too(problem: Any) -> None:
    from dataclasses import replace

    bound: Problem = replace(problem(), constraints=(Small(),))
    rng = np.random.default_rng(0)
    found = [bound.space.sample(rng) for _ in range(20)]
    assert {bound.fits(one) for one in found} == {True, False}
