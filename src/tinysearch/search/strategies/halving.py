"""Asynchronous successive halving."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tinysearch.results.record import Record
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe


class Halving(Strategy):
    """ASHA (Li et al., 2020): many candidates are trained for few epochs, the best of them again for more.

    The rungs are trainings of ``epochs / eta**k`` epochs, rounded up, down to the last that is at least one epoch: for
    10 epochs and ``eta=3`` they are 2, 4 and 10. Each is a whole training with a whole schedule, from new weights, so
    that a score of a rung means the same whichever way a candidate came there. Whenever the best ``1/eta`` of a rung
    holds a candidate that has not been promoted, the best such one goes to the next rung, higher rungs first; if no
    rung does, a new candidate begins at the lowest.

    A share of the new candidates are mutants of the best of the highest rung on which at least ``eta`` stand, the
    others are random; to learn from the upper rungs what to begin with, and to leave a part to chance, is the way of
    Falkner et al. (2018) and Awad et al. (2021). With a share of 0 it is ASHA as published.

    Nothing waits for a rung to fill, so any number of workers is kept busy. Baselines stand on no rung, failures are
    never promoted. A recipe of one or two epochs has a single rung: random search. Of a long history only the latest
    records stand on rungs, so that the time of a proposal is bounded.

    Args:
        problem: Space, budget and recipe.
        eta: Of how many candidates of a rung one is promoted.
        share: Which share of the new candidates are mutants.
        memory: How many of the latest records stand on rungs.
    """

    parents = 10
    attempts = 5

    def __init__(self, problem: Problem, eta: int = 3, share: float = 0.5, memory: int = 1_000) -> None:
        super().__init__(problem)
        self.eta = eta
        self.share = share
        self.memory = memory
        self._random = RandomSearch.upper_budget(problem)

    @property
    def rungs(self) -> tuple[int, ...]:
        """Epochs of each rung, from the lowest to the highest."""
        epochs = self.problem.recipe.epochs
        lengths = [epochs]
        while epochs >= self.eta ** len(lengths):
            lengths.append(math.ceil(epochs / self.eta ** len(lengths)))
        return tuple(reversed(lengths))

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return the next promotion, from the highest rung that has one, or a new candidate for the lowest rung."""
        latest = history[-self.memory :]
        # A promotion is later than what it promotes: if the one is among the latest, so is the other.
        known = {record.key for record in latest} | {candidate.key for candidate in pending}
        rungs = self._occupied(latest)
        for members, higher in reversed(list(zip(rungs, self.rungs[1:], strict=False))):
            for record in _best(members, len(members) // self.eta):
                promoted = Candidate(record.architecture, replace(Recipe.from_dict(record.recipe), epochs=higher))
                if promoted.key not in known:
                    return promoted
        new = self._new(rungs, rng)
        return replace(new, recipe=replace(new.recipe, epochs=self.rungs[0]))

    def _occupied(self, history: Sequence[Record]) -> list[list[Record]]:
        """Return the records of each rung, failures included: they count in the size of a rung."""
        by_epochs: dict[int, list[Record]] = {epochs: [] for epochs in self.rungs}
        for record in history:
            epochs = record.recipe.get("epochs")
            # Other runs, which this one may learn from, had other budgets.
            allowed = self.problem.check(record.architecture, record.cost).accepted
            if record.origin == "search" and epochs in by_epochs and allowed:
                by_epochs[epochs].append(record)
        return list(by_epochs.values())

    def _new(self, rungs: Sequence[Sequence[Record]], rng: np.random.Generator) -> Candidate:
        parents: list[Record] = []
        if len(rungs) > 1 and rng.random() < self.share:
            highest = next((members for members in reversed(rungs) if len(members) >= self.eta), [])
            best = _best(highest, min(self.parents, len(highest) // self.eta))
            parents = [record for record in best if record.architecture in self.problem.space]
        if not parents:
            return self._random.propose((), rng)
        parent = parents[rng.integers(len(parents))]
        return self.problem.child_of(self._mutant(parent.architecture, rng), parent, rng)

    def _mutant(self, parent: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a parent after one or a few mutations, scaled down to the budget, light if that is not rare."""
        space, bound = self.problem.space, self.problem.budget.params
        for _ in range(self.attempts):
            mutant = space.mutate(parent, rng)
            while rng.random() < 0.3:
                mutant = space.mutate(mutant, rng)
            cost = space.cost(mutant)
            if cost is not None and cost.params >= bound:
                mutant = space.scaled_below(mutant, bound)
            if self.problem.is_low_mac(mutant):
                break
        return mutant


def _best(members: Sequence[Record], number: int) -> list[Record]:
    """Return the best of a rung, those without a score left out."""
    return heapq.nlargest(number, (each for each in members if math.isfinite(each.score)), key=lambda each: each.score)
