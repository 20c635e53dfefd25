"""Search for the Pareto front of accuracy and a cost."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import numpy as np

from tinysearch.errors import RunError
from tinysearch.results.hypervolume import BEYOND
from tinysearch.results.record import Record
from tinysearch.search.strategies.bayesian import Bayesian, Gain
from tinysearch.search.strategies.strategy import Problem
from tinysearch.search.strategies.surrogate import Array, expected_improvement
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost
from tinysearch.training.candidate import Candidate

PREFIX = "pareto:"
# The costs that accuracy can be set against: names, and the fields of costs and budgets that hold them.
COSTS = {
    "params": "params",
    "macs": "macs",
    "ram": "peak_activation_bytes",
    "flash": "flash_bytes",
}
# Networks that cost less than this fraction of the budget count as if they cost this fraction.
LOWEST = 0.1
# From costs to their logarithms, of the same shape.
Scale = Callable[[Sequence[float]], Array]


class Pareto(Bayesian):
    """Bayesian optimization of the hypervolume under the front of accuracy and a cost (Emmerich et al., 2006).

    The model is that of ``Bayesian``. On logarithmic scales of error rate and cost, the expected gain of a candidate in
    hypervolume consists of its improvements on the best network of the same or lower cost, and on the best ones of all
    higher costs up to the reference point. A cost is known before a network is trained, so the expectation is an exact
    sum: over the steps of the front, the expected improvement on the step times its width.

    The range of costs ends at twice the budget and begins at a tenth of it. If the problem has several budgets, only
    the best network below each is wanted: the steps of the front are the budgets, all of the same width.

    The search begins with random plain networks of all sizes. Parents are the front of the trained networks by
    predicted mean, then the front of the rest, and so on. Half of the mutants keep their size; the widths of the others
    are scaled to a random size, so that what is good at one size is tried at others.

    Args:
        problem: Space, budget and recipe. If the budget does not bound the cost, the largest observed cost takes the
            place of the bound.
        against: Name of the cost, one of ``COSTS``.
        warm_up, pool, drawn, parents, memory: See ``Bayesian``.

    Raises:
        RunError: if the cost is unknown.
    """

    sizes = 10

    def __init__(
        self,
        problem: Problem,
        against: str = "params",
        warm_up: int = 10,
        pool: int = 120,
        drawn: int = 120,
        parents: int = 10,
        memory: int = 100,
    ) -> None:
        if against not in COSTS:
            raise RunError(f"the cost that accuracy is set against must be one of {', '.join(COSTS)}; got {against!r}")
        super().__init__(problem, warm_up, pool, drawn, parents, memory)
        self.against = against
        self._levels: list[int] = sorted(problem.budgets) if against == "params" else []

    def _gain(self, seen: Sequence[Record], mean: Array) -> Gain:
        """Return a function that computes by how much candidates are expected to increase the hypervolume."""
        fitting = self._fitting(seen)
        costs = [self._cost(seen[index]) for index in fitting]
        scale = self._scale(costs)
        places, utilities = scale(costs), mean[fitting]
        steps = np.unique(np.append(places, scale([0.0])))
        ends = np.append(steps[1:], scale([math.inf]))
        # If no trained network is that small, any network improves on the worst mean.
        marks = [float(utilities[places <= step].max(initial=float(mean.min()))) for step in steps]

        def gain(candidates: Sequence[Candidate], mean: Array, spread: Array) -> Array:
            own = scale([self._cost(one) for one in candidates])
            widths = np.maximum(ends - np.maximum(steps, own[:, None]), 0.0)
            improvements = np.array([expected_improvement(mean, spread, mark) for mark in marks])
            return np.asarray(np.einsum("ij,ji->i", widths, improvements))

        return gain

    def _ranked(self, seen: Sequence[Record], mean: Array) -> Iterable[Record]:
        """Return the trained candidates, front by front."""
        costs = [self._cost(record) for record in seen]
        return (seen[index] for index in fronts(self._scale(costs)(costs), mean))

    def _best(self, records: Sequence[Record]) -> Sequence[Record]:
        return list(itertools.islice(self._ranked(records, np.array([one.score for one in records])), self.memory))

    def _cost(self, one: Record | Candidate) -> float:
        """Return the cost that accuracy is set against; infinity if unknown."""
        value = None if isinstance(one, Candidate) else self._taken(one.cost)
        if value is None:
            # Early records have no flash.
            counted = self.problem.space.cost(one.architecture)
            value = None if counted is None else self._taken(counted)
        return math.inf if value is None else float(value)

    def _taken(self, cost: Cost) -> int | None:
        return self.problem.budget.taken(cost, COSTS[self.against])

    def _scale(self, seen: Sequence[float]) -> Scale:
        """Return the logarithmic scale of costs, from the lowest that counts to the reference point.

        Args:
            seen: Costs of the trained candidates.
        """
        bound = getattr(self.problem.budget, COSTS[self.against])
        top = float(max((cost for cost in seen if math.isfinite(cost)), default=1.0) if bound is None else bound)
        levels = np.array([*self._levels, BEYOND * top])

        def scale(costs: Sequence[float]) -> Array:
            given = np.array(costs, dtype=float)
            if self._levels:
                # A network at a budget is not below it. All budgets have the same weight.
                return np.minimum(np.searchsorted(levels, given, side="right"), len(levels) - 1).astype(float)
            return np.asarray(np.log(np.clip(given, LOWEST * top, BEYOND * top)))

        return scale

    def _plain(self, rng: np.random.Generator) -> Architecture | None:
        """Draw a plain network of a random size; None if that fails."""
        return self._random.design(rng, self._size(rng))

    def _from_prior(self, rng: np.random.Generator) -> Architecture:
        """Draw a network from the prior and scale it to a random size."""
        space, size = self.problem.space, self._size(rng)
        return space.scaled_below(space.sample(rng), size)

    def _promising(self, known: Collection[str], rng: np.random.Generator) -> Candidate:
        """Return a random candidate, because the prior mean would favour the largest of several."""
        return self._drawn(known, rng)

    def _drawn(self, known: Collection[str], rng: np.random.Generator) -> Candidate:
        """Return a random candidate of a random size, unknown and within the budget if one is found soon."""
        for _ in range(self.sizes):
            size = self._size(rng)
            found = self._random.design(rng, size) or self.problem.space.sample_between(round(0.8 * size), size, rng)
            if found is not None and self.problem.fits(found) and self.problem.is_low_mac(found):
                candidate = self.problem.new_candidate(found, rng)
                if candidate.key not in known:
                    return candidate
        return super()._drawn(known, rng)

    def _mutants(
        self, parents: Sequence[Record | Candidate], number: int, rng: np.random.Generator
    ) -> Iterator[Candidate]:
        """Yield mutants of each parent in turn; half of them have another size."""
        space = self.problem.space
        for index in range(number if parents else 0):
            parent = parents[index % len(parents)]
            resized = rng.random() < 0.5
            # Some differ from the parent in their widths alone.
            same = resized and rng.random() < 0.3
            changed = parent.architecture if same else self.problem.mutant(parent.architecture, rng, again=0.4)
            bound = self._size(rng) if resized else self._own_bound(parent)
            params = space.params(changed)
            if resized or (params is not None and params >= bound):
                changed = space.scaled_below(changed, bound)
            yield self.problem.child_of(changed, parent, rng)

    def _size(self, rng: np.random.Generator) -> int:
        """Draw a bound on parameters: one of the budgets, or any between the lowest that counts and the budget."""
        if self._levels:
            return int(rng.choice(self._levels))
        share: float = LOWEST ** rng.random()
        return max(2, round(self.problem.budget.params * share))

    def _own_bound(self, parent: Record | Candidate) -> int:
        """Return the bound on the parameters of a mutant that keeps about the size of its parent."""
        params = self.problem.space.params(parent.architecture)
        above = (level for level in self._levels if params is not None and params < level)
        return int(next(above, self.problem.budget.params))


def fronts(costs: Array, values: Array) -> Iterator[int]:
    """Yield the indices of points by fronts: the points that no other dominates, then those of the rest, and so on.

    The points of a front are ordered by the area that only they dominate, the largest first. The ends of a front, whose
    area is unbounded, come first. Fronts are computed on demand, so that the first few of many points take little time.

    Args:
        costs: The smaller the better, shape ``(n,)``.
        values: The larger the better, shape ``(n,)``.

    >>> list(fronts(np.array([1.0, 2.0, 3.0, 3.0]), np.array([0.5, 0.6, 0.9, 0.2])))
    [0, 2, 1, 3]
    """
    left = np.lexsort((-values, costs))
    while len(left):
        best = np.maximum.accumulate(values[left])
        better = np.append(True, values[left[1:]] > best[:-1])
        front, left = left[better], left[~better]
        alone = np.full(len(front), math.inf)
        alone[1:-1] = (costs[front[2:]] - costs[front[1:-1]]) * (values[front[1:-1]] - values[front[:-2]])
        yield from front[np.argsort(-alone, kind="stable")].tolist()
