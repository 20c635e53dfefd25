"""Which candidate is next: the constraint filter, the search for duplicates, and the trial's own generator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tinysearch.results.record import Origin, Record
from tinysearch.search.candidate import Candidate
from tinysearch.search.strategies import Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate that passed the filter. ``trial`` is its number, None for a baseline."""

    candidate: Candidate
    cost: Cost
    name: str
    origin: Origin
    trial: int | None


class Proposer:
    """A pure function from the history to the next proposal, and a count of what was rejected on the way.

    If a strategy proposes nothing new for long, a space of up to 20,000 members is listed to find what is left of it.

    Args:
        strategy: Proposes candidates; knows space, budget and recipe.
        seed: With the number of the trial it seeds the generator of that trial, so nothing needs to be saved.
        trials: How many candidates to propose.
        baselines: Architectures that come first, by name; those that do not fit the budget are left out. They are
            not counted among the trials.
        rejections: Counts to go on from.
    """

    patience = 300
    listable = 20_000

    def __init__(
        self,
        strategy: Strategy,
        seed: int,
        trials: int,
        baselines: Mapping[str, Architecture],
        rejections: Mapping[str, int] | None = None,
    ) -> None:
        self.strategy = strategy
        self.seed = seed
        self.trials = trials
        self.rejections: Counter[str] = Counter(rejections or {})
        self.exhausted = False
        self._baselines = baselines

    def next(self, history: Sequence[Record]) -> Proposal | None:
        """Return the next proposal, or None if all trials are done or nothing new turns up."""
        known = {record.key for record in history}
        problem = self.strategy.problem
        for name, architecture in self._baselines.items():
            candidate = Candidate(architecture, problem.recipe)
            cost = problem.space.cost(architecture)
            if candidate.key not in known and cost is not None and problem.budget.check(cost).accepted:
                return Proposal(candidate, cost, name, "baseline", None)
        trial = sum(record.origin == "search" for record in history)
        if trial >= self.trials:
            return None
        rng = np.random.default_rng([self.seed, trial])
        small = problem.space.size() <= self.listable
        for _ in range(10 if small else self.patience):
            candidate = self.strategy.propose(history, rng)
            cost = problem.space.cost(candidate.architecture)
            reason = self._reason(candidate, cost, known)
            if reason is None and cost is not None:
                return Proposal(candidate, cost, candidate.key, "search", trial)
            self.rejections[reason or "shape"] += 1
        left = self._unseen(known) if small else []
        if left:
            candidate, cost = left[rng.integers(len(left))]
            return Proposal(candidate, cost, candidate.key, "search", trial)
        self.exhausted = True
        return None

    def _unseen(self, known: set[str]) -> list[tuple[Candidate, Cost]]:
        """Return all that is left of a space that is small enough to be listed."""
        problem = self.strategy.problem
        left: dict[str, tuple[Candidate, Cost]] = {}
        for architecture in problem.space.members():
            candidate = Candidate(architecture, problem.recipe)
            cost = problem.space.cost(architecture)
            if cost is not None and self._reason(candidate, cost, known) is None:
                left[candidate.key] = (candidate, cost)
        return list(left.values())

    def _reason(self, candidate: Candidate, cost: Cost | None, known: set[str]) -> str | None:
        if cost is None:
            return "shape"
        verdict = self.strategy.problem.budget.check(cost)
        if not verdict.accepted:
            return verdict.reason
        return "duplicate" if candidate.key in known else None
