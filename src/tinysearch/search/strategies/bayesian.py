"""Bayesian optimization over features of architectures."""

from __future__ import annotations

import heapq
import itertools
import math
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

import numpy as np

from tinysearch.results.record import Record
from tinysearch.search.recipe_choices import recipe_features
from tinysearch.search.strategies.features import features
from tinysearch.search.strategies.observations import Observations, Replicates, observed, replicates
from tinysearch.search.strategies.prior_mean import prior_mean, slope
from tinysearch.search.strategies.random import RandomSearch, draw_several
from tinysearch.search.strategies.strategy import Problem, Strategy, searched_of
from tinysearch.search.strategies.surrogate import Array, Predict, expected_improvement, fit
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

# Minimum fraction of the budget: smaller networks are scaled up to the budget.
_LEAST = 0.8
# Number of results from which on the model proposes mutants: two more in the pool for each further result.
_GROUNDED = 10
# Number of networks drawn from the prior if no plain network can be drawn.
_OTHERS = 20
Pool = dict[str, tuple[Candidate, list[float]]]
# From candidates and the predicted means and standard deviations of their results, both of shape (n,), to the expected
# gain of each candidate, also of shape (n,).
Gain = Callable[[Sequence[Candidate], Array, Array], Array]


class Bayesian(Strategy):
    """Bayesian optimization with a surrogate model of the quality of networks (Hutter et al., 2011).

    A Gaussian process is fitted to ``features`` of the trained networks and their recipes, and predicts mean and spread
    of the logarithm of the error rate of other networks. It knows the error of each training, see ``observations``: a
    candidate that was trained several times counts by its mean, with a higher weight. The next candidate has the
    highest expected improvement (Jones et al., 1998) in a pool of unknown networks that are within the budget and quick
    to train (see ``Problem.is_low_mac``). The pool consists of random plain networks (see ``space/designs.py``) and of
    mutants: half are mutants of the networks with the highest predicted mean, half of the most promising networks in
    the pool. Widths of networks over the budget or below 80 % of it are scaled to it. Mutating the best networks rather
    than drawing at random follows White et al. (2021).

    With few results the model expects too much of networks unlike those it has seen. So the pool has no mutants with up
    to 10 results, and two more for each further result. If no unknown plain network is within the budget and the space,
    it has all mutants at once and a few networks drawn from the prior.

    The model has a prior mean, which was fitted to trainings on MNIST (see ``prior_mean``): the Gaussian process
    describes how results deviate from a multiple of it. While there are too few results for a model, several networks
    are drawn at random, plain ones if possible, and the one with the highest prior mean is proposed.

    Results of other runs, with more parameters or another recipe, inform the model as well, because parameters and
    recipe are among the features. The improvement is measured from the highest mean that the model predicts, with the
    recipe of this run, for a trained network within the budget, so it does not depend on the luck of one training.

    A failed training counts as the worst completed one. A training that was stopped early counts by its score at that
    time, but not as less than the worst completed one. Pending candidates are assumed to have the predicted results
    (Desautels et al., 2014): this makes the model surer near them without inventing results. Of a long history the
    model sees the latest and the best records, those within the budget first, so the time of a proposal is bounded.

    Args:
        problem: Space, budget and recipe.
        warm_up: Number of candidates drawn at random before the model is used.
        pool: Maximum number of mutants in the pool.
        drawn: Number of draws of random plain networks for the pool.
        parents: Number of networks that mutants are made of.
        choice: Number of random networks from which the one with the highest prior mean is proposed before the model is
            used. With 0, one random network is proposed, and the model has no prior mean.
        memory: Number of the latest records, and of the best records before them, whose candidates the model sees.
    """

    begins_with_designs = True
    replicates = True
    attempts = 3
    rounds = 2

    def __init__(
        self,
        problem: Problem,
        warm_up: int = 10,
        pool: int = 120,
        drawn: int = 120,
        parents: int = 10,
        memory: int = 100,
        choice: int = 8,
    ) -> None:
        super().__init__(problem)
        self.warm_up = warm_up
        self.pool = pool
        self.drawn = drawn
        self.parents = parents
        self.memory = memory
        self.choice = choice
        self._random = RandomSearch.upper_budget(problem, designs=1.0)
        self._prior = RandomSearch.upper_budget(problem)

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return a random candidate during the warm-up, then the most promising of the pool."""
        from threadpoolctl import threadpool_limits

        # The matrices are small, and trainings keep the cores busy, so several threads would wait for each other.
        with threadpool_limits(1):
            return self._propose(history, rng, pending)

    def expected(self, history: Sequence[Record]) -> dict[str, float]:
        """Return the mean that the model predicts for each trained candidate with the recipe of this run, by key.

        Results are those of ``observations``. At least one of the records must have a score.
        """
        seen = self._remembered(history)
        _, mean = self._model(seen, ())
        return {each.first.key: float(one) for each, one in zip(seen, mean, strict=True)}

    def mutants_after(self, results: int) -> int:
        """Return the number of mutants in the pool for a number of results."""
        return min(self.pool, 2 * max(0, results - _GROUNDED))

    def _propose(self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate]) -> Candidate:
        known = {record.key for record in history} | {candidate.key for candidate in pending}
        again = sum(record.purpose == "revalidation" for record in history)
        searched = searched_of(history) - again + len(pending)
        seen = self._remembered(history)
        if searched < self.warm_up or not any(math.isfinite(each.score) for each in seen):
            return self._promising(known, rng)
        predict, mean = self._model(seen, pending)
        trained = [each.first for each in seen]
        gain = self._gain(trained, mean)
        members = (record for record in self._ranked(trained, mean) if self._is_parent(record))
        parents: Sequence[Record | Candidate] = list(itertools.islice(members, self.parents))
        gains: dict[str, float] = {}
        pool: Pool = {}
        plain = draw_several(self._plain, self.drawn, rng)
        self._fill(pool, (self.problem.new_candidate(one, rng) for one in plain), known)
        mutants = self.mutants_after(len(seen)) if pool else self.pool
        if not pool:
            self._fill(pool, (self.problem.new_candidate(self._from_prior(rng), rng) for _ in range(_OTHERS)), known)
        for _ in range(self.rounds):
            self._fill(pool, self._mutants(parents, mutants // self.rounds, rng), known)
            new = [key for key in pool if key not in gains]
            if new:
                found = gain([pool[key][0] for key in new], *predict(np.array([pool[key][1] for key in new])))
                gains.update(zip(new, found.tolist(), strict=True))
            promising = heapq.nlargest(self.parents, gains, key=gains.__getitem__)
            parents = [pool[key][0] for key in promising]
        return pool[max(gains, key=gains.__getitem__)][0] if gains else self._drawn(known, rng)

    def _gain(self, seen: Sequence[Record], mean: Array) -> Gain:
        """Return a function that computes the expected gain of candidates.

        Args:
            seen: The trained candidates.
            mean: Their predicted means, shape ``(n,)``.
        """
        # Results of other runs with larger budgets do not count: this run cannot improve on them.
        fitting = self._fitting(seen)
        best = float(mean[fitting].max() if fitting else mean.min())
        return lambda candidates, mean, spread: expected_improvement(mean, spread, best)

    def _ranked(self, seen: Sequence[Record], mean: Array) -> Iterable[Record]:
        """Return the trained candidates, the best first."""
        return (seen[index] for index in np.argsort(-mean, kind="stable"))

    def _fitting(self, seen: Sequence[Record]) -> list[int]:
        """Return the indices of the records whose networks are within the budget."""
        return [
            index for index, record in enumerate(seen) if self.problem.check(record.architecture, record.cost).accepted
        ]

    def _remembered(self, history: Sequence[Record]) -> list[Replicates]:
        """Return the candidates of the latest records and of the best before them, with all their trainings."""
        older, latest = history[: -self.memory], history[-self.memory :]
        best = self._best([record for record in older if math.isfinite(record.score)])
        cost = self.problem.space.cost
        wanted = {record.key for record in itertools.chain(best, latest) if cost(record.architecture) is not None}
        return replicates(record for record in history if record.key in wanted)

    def _best(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return the best of some records with a score: as many as the model sees besides the latest."""
        bound = self.problem.budget.params
        return heapq.nlargest(self.memory, records, key=lambda record: (record.cost.params < bound, record.score))

    def _model(self, seen: Sequence[Replicates], pending: Sequence[Candidate]) -> tuple[Predict, Array]:
        """Return the model, and the means that it predicts for the trained candidates, shape ``(seen,)``."""
        trained = [each.first for each in seen]
        costs = [(one, self.problem.space.cost(one.architecture)) for one in pending]
        built = [(one, cost) for one, cost in costs if cost is not None]
        x, here = self._inputs(trained)
        targets = self._targets(seen)
        more = np.array([self._features(one, cost) for one, cost in built]) if built else None
        predict = self._predicting(x, targets, more)
        mean, _ = predict(here)
        return predict, mean

    def _targets(self, seen: Sequence[Replicates]) -> Observations:
        """Return the results that the model is fitted to."""
        return observed(seen, self.problem.images)

    def _predicting(self, x: Array, targets: Observations, pending: Array | None) -> Predict:
        """Return a model of the results: a multiple of the prior mean plus a Gaussian process."""
        if not (self.choice and targets.shares):
            return fit(x, targets.values, targets.errors, pending)
        prior = prior_mean()
        followed = slope(prior(x), targets.values, targets.errors)
        rest = fit(x, targets.values - followed * prior(x), targets.errors, pending)

        def predict(features: Array) -> tuple[Array, Array]:
            mean, spread = rest(features)
            return mean + followed * prior(features), spread

        return predict

    def _inputs(self, seen: Sequence[Record]) -> tuple[Array, Array]:
        """Return features of candidates with their recipes, and with that of this run, shapes ``(seen, features)``."""
        # The costs in the records of a history have no layers, which the features need.
        costs = [self.problem.space.cost(one.architecture) or one.cost for one in seen]
        networks = [features(one.architecture, cost) for one, cost in zip(seen, costs, strict=True)]
        how = [recipe_features(Recipe.from_dict(one.recipe)) for one in seen]
        here = how
        if not self.problem.tune_recipe:
            here = [recipe_features(self.problem.candidate(one.architecture).recipe) for one in seen]
        return np.array([*map(operator.add, networks, how)]), np.array([*map(operator.add, networks, here)])

    def _is_parent(self, record: Record) -> bool:
        return math.isfinite(record.score) and record.architecture in self.problem.space

    def _plain(self, rng: np.random.Generator) -> Architecture | None:
        """Draw a plain network of about the size of the budget; None if that fails."""
        return self._random.design(rng)

    def _from_prior(self, rng: np.random.Generator) -> Architecture:
        """Draw a network from the prior and scale it to about the size of the budget."""
        return self._at_size(self.problem.space.sample(rng))

    def _mutants(
        self, parents: Sequence[Record | Candidate], number: int, rng: np.random.Generator
    ) -> Iterator[Candidate]:
        """Yield mutants of each parent in turn, each after one or more mutations."""
        for index in range(number if parents else 0):
            parent = parents[index % len(parents)]
            mutant = self.problem.mutant(parent.architecture, rng, again=0.4)
            yield self.problem.child_of(self._at_size(mutant), parent, rng)

    def _at_size(self, architecture: Architecture) -> Architecture:
        """Scale a network to the budget if it exceeds the budget or leaves much of it unused.

        The model knows least about much smaller networks, so it expects much of them and is seldom right.
        """
        space, bound = self.problem.space, self.problem.budget.params
        params = space.params(architecture)
        if params is None or _LEAST * bound <= params < bound:
            return architecture
        return space.scaled_below(architecture, bound)

    def _features(self, candidate: Candidate, cost: Cost) -> list[float]:
        return features(candidate.architecture, cost) + recipe_features(candidate.recipe)

    def _fill(self, pool: Pool, found: Iterable[Candidate], known: Collection[str]) -> None:
        """Add the candidates that may be proposed to the pool."""
        for candidate in found:
            architecture = candidate.architecture
            cost = self.problem.space.cost(architecture)
            if (
                cost is None
                or not self.problem.check(architecture, cost).accepted
                or not self.problem.is_low_mac(architecture)
            ):
                continue
            if candidate.key not in known:
                pool[candidate.key] = candidate, self._features(candidate, cost)

    def _promising(self, known: Collection[str], rng: np.random.Generator) -> Candidate:
        """Return the candidate with the highest prior mean of a few random ones."""
        first = self._drawn(known, rng)
        more = self.choice - 1 if self.problem.fits(first.architecture) else 0
        found = [first, *(self._drawn(known, rng) for _ in range(more))]
        costs = [(one, self.problem.space.cost(one.architecture)) for one in found if one.key not in known]
        built = [(one, cost) for one, cost in costs if cost is not None and self.problem.fits(one.architecture)]
        if not built:
            return first
        expected = prior_mean()(np.array([self._features(one, cost) for one, cost in built]))
        return built[int(np.argmax(expected))][0]

    def _drawn(self, known: Collection[str], rng: np.random.Generator) -> Candidate:
        """Return a random candidate, unknown and within the budget if one is found soon; plain networks come first."""
        for attempt in range(self.attempts):
            candidate = (self._prior if attempt else self._random).propose((), rng)
            if candidate.key not in known and self.problem.fits(candidate.architecture):
                break
        return candidate
