"""The choice of the next candidate: constraint filter, check for duplicates, and a random generator per trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tinysearch.errors import PluginError
from tinysearch.results.record import Origin, Record
from tinysearch.runtime.plugins import name_of, returns
from tinysearch.search.history import TrialHistory
from tinysearch.search.pruning import comparable, floor
from tinysearch.search.strategies.strategy import Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost
from tinysearch.training.candidate import Candidate


@dataclass(frozen=True, slots=True)
class Proposal:
    """A candidate that passed the filter.

    Args:
        position: Position in the order of the run.
        candidate: Candidate to train.
        cost: Cost of the candidate.
        name, origin: Fields of the record.
        trial: Number of the trial; None for a hand-designed baseline.
        rejections: Number of proposals rejected before this one, by reason.
        floor: See ``Job``.
    """

    position: int
    candidate: Candidate
    cost: Cost
    name: str
    origin: Origin
    trial: int | None
    rejections: Mapping[str, int] = field(default_factory=dict)
    floor: tuple[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Exhausted:
    """No new candidate within the budget was found; ``rejections`` has the number of rejected proposals by reason."""

    rejections: Mapping[str, int]


class Proposer:
    """A pure function from a history to the next proposal.

    If a strategy repeatedly proposes nothing new, a space of up to 20,000 members is enumerated to find the rest; of a
    larger one, the smallest network is proposed.

    Args:
        strategy: Strategy that proposes candidates, with its space, budget and recipe.
        seed: Seed of the generators: each trial has its own, seeded by this and the number of the trial, so no state
            of a generator needs to be saved.
        trials: Number of candidates to propose.
        baselines: Architectures within the budget that come first, by name. They do not count as trials.
        initial_candidates: Candidates for the first trials; the strategy replaces those that are rejected.
        prune: Whether candidates that fall behind are stopped, see ``pruning``.
        warm_start_trials: Records of other runs, which precede those of the run in the history of the strategy.
    """

    patience = 300
    listable = 20_000

    def __init__(
        self,
        strategy: Strategy,
        seed: int,
        trials: int,
        baselines: Mapping[str, Architecture],
        initial_candidates: Sequence[Candidate] = (),
        *,
        prune: bool = False,
        warm_start_trials: Sequence[Record] = (),
    ) -> None:
        self.strategy = strategy
        self.seed = seed
        self.trials = trials
        self.baselines = baselines
        self.initial_candidates = initial_candidates
        self.prune = prune
        self.warm_start_trials = warm_start_trials

    def next(self, history: TrialHistory) -> Proposal | Exhausted | None:
        """Return the proposal for the history's next position, or None if all trials are proposed.

        Raises:
            PluginError: if the strategy does not return a candidate, or a constraint does not return a verdict.
        """
        position = history.position
        problem = self.strategy.problem
        if position < len(self.baselines):
            name, architecture = list(self.baselines.items())[position]
            counted = problem.space.cost(architecture)
            if counted is None:
                raise AssertionError(f"{name} does not fit the images")
            return Proposal(position, Candidate(architecture, problem.recipe), counted, name, "baseline", None)
        trial = position - len(self.baselines)
        if trial >= self.trials:
            return None
        rng = np.random.default_rng([self.seed, trial])
        rejections: Counter[str] = Counter()
        found = self._initial(trial, history, rejections)
        if found is None:
            found = self._ask(self._known(history), history.pending(), history.keys, rng, rejections)
        if found is not None and found[0].key in (ahead := history.ahead()):
            # This version or machine proposes differently from the one that began the run.
            found = self._ask(self._known(history), history.pending(), history.keys | ahead, rng, rejections)
        if found is None:
            return Exhausted(rejections)
        candidate, cost = found
        bound = None
        if self.prune:
            alike = comparable(history.known(), cost.params, self.strategy.problem.budgets)
            bound = floor(alike, candidate.recipe.epochs)
        return Proposal(position, candidate, cost, candidate.key, "search", trial, rejections, bound)

    def _known(self, history: TrialHistory) -> Sequence[Record]:
        # A copy, which a strategy may change.
        return [*self.warm_start_trials, *history.known()]

    def _initial(self, trial: int, history: TrialHistory, rejections: Counter[str]) -> tuple[Candidate, Cost] | None:
        """Return the initial candidate of a trial with its cost; None if it has none or the filter rejects it."""
        if trial >= len(self.initial_candidates):
            return None
        problem = self.strategy.problem
        candidate = self.initial_candidates[trial]
        cost = problem.space.cost(candidate.architecture)
        reason = self._reason(candidate, cost, history.keys | history.ahead())
        if reason is None and cost is not None:
            return candidate, cost
        rejections[reason or "shape"] += 1
        return None

    def _ask(
        self,
        history: Sequence[Record],
        pending: Sequence[Candidate],
        known: Collection[str],
        rng: np.random.Generator,
        rejections: Counter[str],
    ) -> tuple[Candidate, Cost] | None:
        space = self.strategy.problem.space
        small = space.size() <= self.listable
        for _ in range(10 if small else self.patience):
            candidate = self.strategy.propose(history, rng, pending)
            if not isinstance(candidate, Candidate):
                raise PluginError(
                    f"the strategy {name_of(self.strategy)}: {returns('propose', Candidate, candidate)}; "
                    f"self.problem.candidate(architecture) makes one"
                )
            cost = space.cost(candidate.architecture)
            reason = self._reason(candidate, cost, known)
            if reason is None and cost is not None:
                return candidate, cost
            rejections[reason or "shape"] += 1
        # Just above the smallest network, random ones are hardly ever within the budget.
        left = self._unseen(space.members() if small else [space.smallest_member()], known, rng)
        return left[rng.integers(len(left))] if left else None

    def _unseen(
        self, architectures: Iterable[Architecture], known: Collection[str], rng: np.random.Generator
    ) -> list[tuple[Candidate, Cost]]:
        """Return the candidates of architectures that are new and pass the filter, with their costs."""
        problem = self.strategy.problem
        left: dict[str, tuple[Candidate, Cost]] = {}
        for architecture in architectures:
            candidate = problem.new_candidate(architecture, rng)
            cost = problem.space.cost(architecture)
            if cost is not None and self._reason(candidate, cost, known) is None:
                left[candidate.key] = (candidate, cost)
        return list(left.values())

    def _reason(self, candidate: Candidate, cost: Cost | None, known: Collection[str]) -> str | None:
        if cost is None:
            return "shape"
        verdict = self.strategy.problem.check(candidate.architecture, cost)
        if not verdict.accepted:
            return verdict.reason or "constraint"
        return "duplicate" if candidate.key in known else None
