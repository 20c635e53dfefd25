"""Regularized evolution."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from tinysearch.results.record import Record
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy, searched_of
from tinysearch.training.candidate import Candidate

# Fraction of plain networks among those drawn at random.
_PLAIN = 0.5


class Evolution(Strategy):
    """Ageing evolution (Real et al., 2019), seeded with the baselines that a run trains first.

    The population is the last ``population`` candidates that were trained. The winner of a tournament among
    ``tournament`` of them, drawn at random, is the parent of the next candidate, so a candidate leaves by age and not
    by rank. The search begins with ``warm_up`` random candidates between 80 % and 100 % of the budget; about half are
    plain networks (see ``space/designs.py``). Networks that are quick to train are preferred, see
    ``Problem.is_low_mac``.

    Half of the mutants over the budget have their widths scaled down until they fit. A quarter of the others have them
    scaled up as far as they fit, to use the budget. The rest go to the constraint filter unchanged, which keeps the
    population diverse.

    Args:
        problem: Space, budget and recipe.
        population: Number of candidates in the population.
        tournament: Number of candidates in a tournament.
        warm_up: Number of random candidates that the search begins with.
    """

    begins_with_designs = True
    attempts = 5

    def __init__(self, problem: Problem, population: int = 24, tournament: int = 6, warm_up: int = 6) -> None:
        super().__init__(problem)
        self.population = population
        self.tournament = tournament
        self.warm_up = warm_up
        self._random = RandomSearch.upper_budget(problem, designs=_PLAIN)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return a random candidate during the warm-up, then a mutant of the winner of a tournament."""
        searched = searched_of(history) + len(pending)
        population = [] if searched < self.warm_up else self._alive(history)
        if not population:
            return self._random.propose(history, rng)
        size = min(self.tournament, len(population))
        drawn = rng.choice(len(population), size=size, replace=False)
        parent = max((population[index] for index in sorted(drawn)), key=lambda record: record.score)
        for _ in range(self.attempts):
            mutant = self.problem.mutant(parent.architecture, rng, again=0.3)
            if self.problem.is_low_mac(mutant):
                break
        cost = self.problem.space.cost(mutant)
        over = cost is not None and cost.params >= self.problem.budget.params
        if rng.random() < (0.5 if over else 0.25):
            mutant = self.problem.space.scaled_below(mutant, self.problem.budget.params)
        return self.problem.child_of(mutant, parent, rng)

    def _alive(self, history: Sequence[Record]) -> list[Record]:
        """Return the last records that can be parents, in order."""
        able = (one for one in reversed(history) if not one.failed and one.architecture in self.problem.space)
        return list(itertools.islice(able, self.population))[::-1]
