"""Random search, spread evenly over the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np

from tinysearch.results.record import Record
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.architecture import Architecture
from tinysearch.space.designs import largest_design, random_plan
from tinysearch.training.candidate import Candidate

# Number of failed draws after which no plain network is assumed to be within the budget and the space.
_NONE = 10
# Size of the cache: there are about 1,500 plans of plain networks, and a search may have several budgets.
_KEPT = 16_384


class RandomSearch(Strategy):
    """Draw from the space's prior among the networks that fit, equally often from each slice of the budget.

    By itself, the prior gives mostly networks far below or far above a budget. So each proposal first draws one of ten
    equal slices of ``[0, budget)``, then an architecture whose number of parameters lies in the slice.

    Args:
        problem: Space, budget and recipe.
        lowest: Fraction of the budget at which the slices begin.
        low_mac: Whether to prefer networks that are quick to train, see ``Problem.is_low_mac``.
        designs: Fraction of the draws that are plain networks instead, see ``space/designs.py``.
    """

    uses_history = False
    slices = 10
    attempts = 20
    narrowings = 20

    def __init__(self, problem: Problem, lowest: float = 0.0, *, low_mac: bool = False, designs: float = 0.0) -> None:
        super().__init__(problem)
        self.lowest = lowest
        self.low_mac = low_mac
        self.designs = designs
        # Finding the largest network of a plan takes milliseconds, and the same plans are drawn repeatedly.
        self._largest = lru_cache(_KEPT)(lambda plan, bound: largest_design(problem.space, plan, bound, problem.fits))

    @classmethod
    def upper_budget(cls, problem: Problem, designs: float = 0.0) -> RandomSearch:
        """Return a random search for the first candidates of other strategies.

        It draws networks between 80 % and 100 % of the budget that are quick to train. A network that leaves parameters
        unused is seldom the best, and the first candidates are a large part of a short search.

        Args:
            problem: See ``Strategy``.
            designs: See ``RandomSearch``.
        """
        return cls(problem, lowest=0.8, low_mac=True, designs=designs)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return a random candidate; if no slice yields one, one of any size, which may be over the budget."""
        design = self.design(rng)
        if design is not None:
            return self.problem.new_candidate(design, rng)
        for _ in range(self.attempts if self._slices else 0):
            found = self._draw(rng)
            if found is None or not self.problem.fits(found):
                continue
            if not self.low_mac or self.problem.is_low_mac(found):
                return self.problem.new_candidate(found, rng)
        return self.problem.new_candidate(self._narrow(rng), rng)

    def design(self, rng: np.random.Generator, below: int | None = None) -> Architecture | None:
        """Return a plain network in a fraction ``designs`` of the calls; otherwise, or if none fits, None.

        Args:
            rng: Random generator.
            below: Exclusive bound on the parameters, up to which the network is scaled; by default the budget.
        """
        if self.designs and rng.random() < self.designs:
            bound = self.problem.budget.params if below is None else below
            return self._largest(random_plan(rng), bound)
        return None

    def _narrow(self, rng: np.random.Generator) -> Architecture:
        """Draw from the prior with ever fewer parameters until a network fits bounds on other resources."""
        space, params = self.problem.space, self.problem.budget.params
        architecture = space.sample(rng)
        for _ in range(self.narrowings):
            if self.problem.fits(architecture):
                break
            params //= 2
            architecture = space.scaled_below(space.sample(rng), params)
        return architecture

    def _draw(self, rng: np.random.Generator) -> Architecture | None:
        low, high = self._slices[int(rng.integers(len(self._slices)))]
        return self.problem.space.sample_between(low, high, rng)

    @cached_property
    def _slices(self) -> list[tuple[int, int]]:
        """Bounds of the slices in which a draw finds a network, so that others are not drawn in vain."""
        bound = self.problem.budget.params
        start = self.lowest * bound
        width = (bound - start) / self.slices
        edges = [round(start + width * place) for place in range(self.slices + 1)]
        rng = np.random.default_rng(0)
        return [pair for pair in pairwise(edges) if self.problem.space.sample_between(*pair, rng) is not None]


def draw_several(
    draw: Callable[[np.random.Generator], Architecture | None], number: int, rng: np.random.Generator
) -> Iterator[Architecture]:
    """Yield the networks that a number of draws find; stop early if the first ten draws find none.

    Args:
        draw: Returns a network, or None.
        number: Number of draws.
        rng: Random generator.
    """
    missed = 0
    for count in range(number):
        if missed == count == _NONE:
            return
        found = draw(rng)
        if found is None:
            missed += 1
        else:
            yield found
