"""Tests of the contracts of strategies and constraints, for any implementation."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.runtime.plugins import returns
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget, Verdict
from tinysearch.space.constraint import Constraint
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

# Maximum number of proposals that a strategy may need until one passes the filter.
ASKS = 300


def check_strategy(
    given: str | type[Strategy] | Callable[[Problem], Strategy],
    *,
    space: SearchSpace | None = None,
    lengths: Sequence[int] = (0, 1, 7, 300),
) -> None:
    """Check that a strategy keeps its contract: its proposals are usable and depend on its arguments only.

    Args:
        given: A strategy's name, its class, or a function that makes a strategy from a problem.
        space: Search space to test with; by default the space of ``tinysearch run``.
        lengths: Lengths of the histories to test with.

    Raises:
        AssertionError: if the strategy breaks the contract of ``Strategy.propose``.
    """
    where = space or SearchSpace()
    problem = Problem(where, Budget(2_000), Recipe(epochs=9))
    for length in lengths:
        _proposes(given, problem, _history(problem, length))
    problem = Problem(where, Budget(10_000), Recipe(epochs=9))
    history = _history(problem, 12)
    failed = [replace(record, measurement=Measurement(failure="out of memory")) for record in history]
    _proposes(given, problem, failed)
    _proposes(given, problem, [*history, _record(problem, history[0].architecture, math.nan, 12)])


def check_constraint(given: Constraint, *, space: SearchSpace | None = None, networks: int = 100) -> None:
    """Check that a constraint keeps its contract: it returns verdicts that are reproducible and give a reason.

    Args:
        given: The constraint.
        space: Search space that the networks are drawn from; by default the space of ``tinysearch run``.
        networks: Number of networks to check.

    Raises:
        AssertionError: if the constraint breaks the contract of ``Constraint.check``.
    """
    where = space or SearchSpace()
    rng = np.random.default_rng(0)
    for _ in range(networks):
        architecture = where.sample(rng)
        counted = cost(architecture, where.task)
        verdict = given.check(architecture, counted)
        _require(isinstance(verdict, Verdict), returns("check", Verdict, verdict))
        _require(given.check(architecture, counted) == verdict, "the same network is judged in the same way each time")
        _require(verdict.accepted or verdict.reason, "a rejection needs a reason, by which it is counted")


def _proposes(given: object, problem: Problem, history: list[Record]) -> None:
    """Check the proposals for a history whose last candidate is also passed as pending."""
    pending = [Candidate(record.architecture, problem.recipe) for record in history[-1:]]
    what = f"after {len(history)} records, below {problem.budget.params:,} parameters"
    before = list(history)
    state = _global_state()
    asked = [
        [one.propose(history, rng, pending) for _ in range(2)]
        for one, rng in ((strategy(given, problem), np.random.default_rng([7, len(history)])) for _ in range(2))
    ]
    _require(history == before, f"the history was changed {what}")
    _require(
        _global_state() == state, f"NumPy's global generator was used {what}; the generator of the trial is an argument"
    )
    for candidate in asked[0]:
        _require(isinstance(candidate, Candidate), f"{returns('propose', Candidate, candidate)} {what}")
        plain = candidate.architecture.to_dict()
        _require(json.loads(json.dumps(plain)) == plain, f"an architecture is made of plain values {what}")
        epochs = candidate.recipe.epochs
        _require(
            1 <= epochs <= problem.recipe.epochs,
            f"a candidate is trained for 1 to {problem.recipe.epochs} epochs, got {epochs} {what}",
        )
    _require(
        asked[0] == asked[1],
        f"the same history and generator give the same proposals, whatever was asked before; they differ {what}",
    )
    _finds_something_new(given, problem, history, what)


def _finds_something_new(given: object, problem: Problem, history: list[Record], what: str) -> None:
    known = {record.key for record in history}
    proposer, rng = strategy(given, problem), np.random.default_rng([8, len(history)])
    for _ in range(ASKS):
        candidate = proposer.propose(history, rng)
        if problem.fits(candidate.architecture) and candidate.key not in known:
            return
    raise AssertionError(
        f"the strategy proposed nothing that is new, can be built and is within the budget in {ASKS} calls {what}"
    )


def _global_state() -> str:
    name, keys, place, *rest = np.random.get_state()  # noqa: NPY002
    return json.dumps([str(name), np.asarray(keys).tolist(), place, *map(str, rest)])


def _history(problem: Problem, length: int) -> list[Record]:
    """Return records of random networks within the budget with random accuracies."""
    rng = np.random.default_rng(length)
    space, bound = problem.space, problem.budget.params
    drawn = (space.scaled_below(space.sample(rng), bound - 1) for _ in range(length))
    return [_record(problem, architecture, float(rng.random()), trial) for trial, architecture in enumerate(drawn)]


def _record(problem: Problem, architecture: Architecture, score: float, trial: int) -> Record:
    candidate = Candidate(architecture, problem.recipe)
    point = Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0)
    return Record(
        run="run",
        key=candidate.key,
        name=candidate.key,
        origin="search",
        purpose="search",
        trial=trial,
        seed=0,
        dataset="noise",
        fingerprint="0",
        architecture=architecture,
        # The history that a run passes to its strategy has costs without layers.
        cost=replace(cost(architecture, problem.space.task), layers=()),
        recipe=candidate.recipe.to_dict(),
        measurement=Measurement((point,) * problem.recipe.epochs, 1.0),
        position=trial,
    )


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise AssertionError(otherwise)
