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
    10 epochs and ``eta=3`` they are 2, 4 and 10. Each is a complete training with a complete schedule from new weights,
    so that a score on a rung does not depend on how the candidate got there. Whenever the best ``1/eta`` of a rung
    contains a candidate that has not been promoted, the best such candidate is promoted to the next rung, higher rungs
    first. If no rung has one, a new candidate starts on the lowest.

    A share of the new candidates are mutants of the best of the highest rung with at least ``eta`` candidates; the
    others are random. Learning the first candidates from the upper rungs while leaving a part to chance follows
    Falkner et al. (2018) and Awad et al. (2021). With a share of 0 it is ASHA as published.

    Nothing waits for a rung to fill, so any number of workers is kept busy. Baselines are on no rung, and failures are
    never promoted. A recipe of one or two epochs has a single rung: random search. Of a long history only the latest
    records are on the rungs, so that the time of a proposal is bounded.

    Args:
        problem: Space, budget and recipe.
        eta: One of ``eta`` candidates of a rung is promoted.
        share: Fraction of the new candidates that are mutants.
        memory: Number of the latest records that are on the rungs.
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
        """Return the next promotion from the highest rung that has one, or a new candidate for the lowest rung."""
        latest = history[-self.memory :]
        # A promotion comes after the promoted record, so if the latter is among the latest records, so is the former.
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
        """Return the records of each rung; failures are included, because they count in the size of a rung."""
        by_epochs: dict[int, list[Record]] = {epochs: [] for epochs in self.rungs}
        for record in history:
            epochs = record.recipe.get("epochs")
            # Other runs that this one learns from may have had other budgets.
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
        """Return a parent after one or more mutations, scaled down to the budget, quick to train if one is found."""
        space, bound = self.problem.space, self.problem.budget.params
        for _ in range(self.attempts):
            mutant = self.problem.mutant(parent, rng, again=0.3)
            cost = space.cost(mutant)
            if cost is not None and cost.params >= bound:
                mutant = space.scaled_below(mutant, bound)
            if self.problem.is_low_mac(mutant):
                break
        return mutant


def _best(members: Sequence[Record], number: int) -> list[Record]:
    """Return the best records of a rung, without those that have no score."""
    return heapq.nlargest(number, (each for each in members if math.isfinite(each.score)), key=lambda each: each.score)
