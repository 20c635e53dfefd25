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

# Fraction of the budget: what uses less of it is scaled up.
_LEAST = 0.8
# So many results the model needs before it may propose mutants; for each further one it looks at two of them.
_GROUNDED = 10
# How many networks to draw from the prior where no plain ones can be drawn.
_OTHERS = 20
Pool = dict[str, tuple[Candidate, list[float]]]
# From candidates, and mean and spread of what the model predicts of them, both of shape (n,), to what is expected of
# each, of that shape too.
Gain = Callable[[Sequence[Candidate], Array, Array], Array]


class Bayesian(Strategy):
    """Bayesian optimization with a surrogate model of what networks are good (Hutter et al., 2011).

    A Gaussian process is fitted to ``features`` of what was trained and of how, and predicts mean and spread of the
    logarithm of the error rate of what was not. It knows how far a training is off by luck, see ``observations``: a
    candidate that was trained several times counts by its mean, and for more. The next candidate has the highest
    expected improvement (Jones et al., 1998) in a pool of networks that are within the budget, not known, and quick to
    train (see ``Problem.is_low_mac``). They are plain networks drawn at random (see ``space/designs.py``), and mutants:
    half of these of the networks that the model thinks the best, the other half of the most promising in the pool.
    Widths of what is over the budget, or uses less than 80 % of it, are scaled to it. To mutate the best rather than to
    draw at random is the way of White et al. (2021).

    With few results the model expects too much of networks unlike those it has seen. So there are no mutants with up to
    10 results, and two more for each further one; or all of them at once, with a few networks drawn from the prior, if
    there are no plain networks within the budget and the space that are not known.

    The model has a prior mean, which was fitted to trainings on MNIST (see ``prior_mean``): the Gaussian process
    describes how results deviate from a multiple of it. While there are too few results for a model, several networks
    are drawn at random, plain ones if there are any, and the one with the highest prior mean is proposed.

    What other runs have trained, with more parameters or by another recipe, informs the model as well: parameters and
    recipe are among the features. The mark for an improvement is the best that the model expects of a network within
    the budget that was trained, by the recipe of this run; so it is not the luck of one training.

    A training that failed counts as one that was as bad as the worst, one that was stopped early as no better than that
    unless it was when it was stopped. Candidates that are pending count as ones that turn out as the model expects
    (Desautels et al., 2014): it is surer of what is like them, and no result is invented. Of a long history the model
    sees the latest and the best, those within the budget first, so that the time of a proposal is bounded.

    Args:
        problem: Space, budget and recipe.
        warm_up: So many candidates are drawn at random before there is a model.
        pool: How many mutants to look at, at most.
        drawn: How many plain networks drawn at random to look at beside them.
        parents: How many networks mutants are made of.
        choice: Of how many networks drawn at random the most promising one is proposed before there is a model; with 0
            one is, and the model begins from nothing.
        memory: How many of the latest candidates, and how many of the best before them, the model sees.
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
        """Return a random candidate while warming up, then the most promising of the pool."""
        from threadpoolctl import threadpool_limits

        # The matrices are small, and the cores are busy with trainings: threads would wait for each other.
        with threadpool_limits(1):
            return self._propose(history, rng, pending)

    def expected(self, history: Sequence[Record]) -> dict[str, float]:
        """Return what the model expects of what was trained, by key: results as in ``observations``, by its recipe.

        At least one of the records must have a score.
        """
        seen = self._remembered(history)
        _, mean = self._model(seen, ())
        return {each.first.key: float(one) for each, one in zip(seen, mean, strict=True)}

    def mutants_after(self, results: int) -> int:
        """Return how many mutants it looks at beside plain networks when it knows so many results."""
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
        """Return what tells how much is expected of candidates.

        Args:
            seen: What was trained.
            mean: What the model thinks of it, shape ``(n,)``.
        """
        # What other runs found under larger budgets is no mark for this one.
        fitting = self._fitting(seen)
        best = float(mean[fitting].max() if fitting else mean.min())
        return lambda candidates, mean, spread: expected_improvement(mean, spread, best)

    def _ranked(self, seen: Sequence[Record], mean: Array) -> Iterable[Record]:
        """Return what was trained, the best first."""
        return (seen[index] for index in np.argsort(-mean, kind="stable"))

    def _fitting(self, seen: Sequence[Record]) -> list[int]:
        """Return which records are of networks within the budget."""
        return [
            index for index, record in enumerate(seen) if self.problem.check(record.architecture, record.cost).accepted
        ]

    def _remembered(self, history: Sequence[Record]) -> list[Replicates]:
        """Return the latest candidates and the best before them, with all their trainings."""
        older, latest = history[: -self.memory], history[-self.memory :]
        best = self._best([record for record in older if math.isfinite(record.score)])
        cost = self.problem.space.cost
        wanted = {record.key for record in itertools.chain(best, latest) if cost(record.architecture) is not None}
        return replicates(record for record in history if record.key in wanted)

    def _best(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return as many of the best as the model sees beside the latest; all of them have a score."""
        bound = self.problem.budget.params
        return heapq.nlargest(self.memory, records, key=lambda record: (record.cost.params < bound, record.score))

    def _model(self, seen: Sequence[Replicates], pending: Sequence[Candidate]) -> tuple[Predict, Array]:
        """Return the model, and what it expects of what was trained, shape ``(seen,)``."""
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
        """Return what the model is fitted to."""
        return observed(seen, self.problem.images)

    def _predicting(self, x: Array, targets: Observations, pending: Array | None) -> Predict:
        """Return a model of the results, with a multiple of the prior mean that they follow."""
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
        """Return features of what was trained, by its recipe and by that of this run, shapes ``(seen, features)``."""
        # The records of a history have costs without layers, which features are made of.
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
        """Draw a plain network of about the size of the budget, if there are any."""
        return self._random.design(rng)

    def _from_prior(self, rng: np.random.Generator) -> Architecture:
        """Draw from the prior a network of about the size of the budget."""
        return self._at_size(self.problem.space.sample(rng))

    def _mutants(
        self, parents: Sequence[Record | Candidate], number: int, rng: np.random.Generator
    ) -> Iterator[Candidate]:
        """Yield mutants of each parent in turn, of one or a few mutations."""
        space = self.problem.space
        for index in range(number if parents else 0):
            parent = parents[index % len(parents)]
            mutant = space.mutate(parent.architecture, rng)
            while rng.random() < 0.4:
                mutant = space.mutate(mutant, rng)
            yield self.problem.child_of(self._at_size(mutant), parent, rng)

    def _at_size(self, architecture: Architecture) -> Architecture:
        """Scale what is over the budget, or leaves much of it unused, to the budget.

        Of a network that is much smaller the model knows least, so it expects much of it, and is seldom right.
        """
        space, bound = self.problem.space, self.problem.budget.params
        params = space.params(architecture)
        if params is None or _LEAST * bound <= params < bound:
            return architecture
        return space.scaled_below(architecture, bound)

    def _features(self, candidate: Candidate, cost: Cost) -> list[float]:
        return features(candidate.architecture, cost) + recipe_features(candidate.recipe)

    def _fill(self, pool: Pool, found: Iterable[Candidate], known: Collection[str]) -> None:
        """Add to the pool what may be proposed."""
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
        """Return the most promising of a few random candidates."""
        found = [self._drawn(known, rng) for _ in range(max(1, self.choice))]
        costs = [(one, self.problem.space.cost(one.architecture)) for one in found if one.key not in known]
        built = [(one, cost) for one, cost in costs if cost is not None and self.problem.fits(one.architecture)]
        if not built:
            return found[0]
        expected = prior_mean()(np.array([self._features(one, cost) for one, cost in built]))
        return built[int(np.argmax(expected))][0]

    def _drawn(self, known: Collection[str], rng: np.random.Generator) -> Candidate:
        """Return a random candidate within the budget and not known, if one is found soon; first a plain network."""
        for attempt in range(self.attempts):
            candidate = (self._prior if attempt else self._random).propose((), rng)
            if candidate.key not in known and self.problem.fits(candidate.architecture):
                break
        return candidate
