"""A table of networks with recorded trainings, and the searches in it that ``evidence_table.py`` compares."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from stage_parameters import Parameters, Range, is_plain, parameters, ranges

sys.path.insert(0, str(Path(__file__).parents[1] / "experiments"))
from races import Floats
from surrogates import DESIGNS, Measured, trained

from tinysearch.results.record import Record
from tinysearch.search.optuna.study import quiet
from tinysearch.search.strategies.bayesian import Bayesian
from tinysearch.search.strategies.evolution import Evolution
from tinysearch.search.strategies.features import features
from tinysearch.search.strategies.observations import Replicates, observed
from tinysearch.search.strategies.prior_mean import prior_mean
from tinysearch.search.strategies.strategy import Problem
from tinysearch.search.strategies.surrogate import distances, expected_improvement
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.designs import designs
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import Recipe

IMAGES = 10_000
# Number of nearest networks that count as the mutants of a network.
MUTANTS = 5


@dataclass(frozen=True)
class Table:
    """The networks of a set with their trainings.

    Args:
        pool: The networks with their trainings, and their features, shape ``(n, features)``.
        bound: Bound on parameters.
    """

    pool: Measured
    bound: int

    @classmethod
    def of(cls, records: Sequence[Record], name: str) -> Table:
        return cls(Measured.of([one for one in records if one.run == name], IMAGES), int(name.removeprefix("<")))

    @cached_property
    def problem(self) -> Problem:
        return Problem(SearchSpace(), Budget(self.bound), Recipe(), images=IMAGES)

    @cached_property
    def apart(self) -> Floats:
        """Distances between networks in standardized features, shape ``(n, n)``."""
        return distances(self._standardized(self.pool.x), self._standardized(self.pool.x))

    @cached_property
    def designs(self) -> list[int]:
        """Indices of the networks nearest to the first designs, none of them twice."""
        found: list[int] = []
        for one in itertools.islice(designs(self.problem.space, self.bound, self.problem.fits), DESIGNS):
            x = np.array([features(one, cost(one, self.problem.space.task))])
            order = np.argsort(distances(self._standardized(x), self._standardized(self.pool.x))[0], kind="stable")
            found.append(next(int(place) for place in order if place not in found))
        return found

    @cached_property
    def plain(self) -> list[int]:
        """Indices of the networks that the rule of plain stages could draw."""
        return [place for place, one in enumerate(self.pool.candidates) if is_plain(one.first.architecture)]

    @cached_property
    def parameters(self) -> list[dict[str, int]]:
        return [parameters(one.first.architecture) for one in self.pool.candidates]

    @cached_property
    def ranges(self) -> dict[str, Range]:
        return ranges(self.parameters)

    def nearest(self, asked: Parameters, places: Sequence[int]) -> int:
        """Return which of ``places`` is the index of the network with parameters nearest to those asked for."""
        points = self._points([asked, *(self.parameters[place] for place in places)])
        return places[int(np.argmin(((points[1:] - points[0]) ** 2).sum(axis=1)))]

    def _points(self, values: Sequence[Parameters]) -> Floats:
        return np.array([[scale.share(one[name]) for name, scale in self.ranges.items()] for one in values])

    def _standardized(self, x: Floats) -> Floats:
        centre, scale = self.pool.x.mean(axis=0), self.pool.x.std(axis=0)
        found: Floats = (x - centre) / np.where(scale < 1e-9, 1.0, scale)
        return found


@dataclass
class Search:
    """State of a search: the indices of the networks tried, in order, and their measurements."""

    table: Table
    rng: np.random.Generator
    tried: list[int] = field(default_factory=list)
    results: list[float] = field(default_factory=list)

    @property
    def left(self) -> list[int]:
        return [place for place in range(len(self.table.pool.candidates)) if place not in self.tried]

    def at_random(self) -> int:
        """Return the index of a random untried network."""
        return int(self.rng.choice(self.left))


# Yields the index of the next network to try; the results of the ones before are known by then.
Side = Callable[[Search], Iterator[int]]


def plain(search: Search) -> Iterator[int]:
    """Draw at random."""
    while True:
        yield search.at_random()


def plain_rule(search: Search) -> Iterator[int]:
    """Draw the networks that the rule of plain stages could draw, then the others."""
    yield from search.rng.permutation(search.table.plain).tolist()
    yield from plain(search)


def bayesian(search: Search, *, starts: bool = True, prior: bool = True) -> Iterator[int]:
    """Choose by expected improvement with the model of tinysearch, after designs and random networks.

    The choice is among the networks that the rule of plain stages could draw, and those nearest to the best network by
    the model.
    """
    table, x = search.table, search.table.pool.x

    def plain_left() -> list[int]:
        return [place for place in table.plain if place not in search.tried]

    strategy = Bayesian(table.problem) if prior else Bayesian(table.problem, choice=0)
    if starts:
        yield from table.designs
    while len(search.tried) < strategy.warm_up:
        drawn = search.rng.permutation(plain_left() or search.left)[: max(1, strategy.choice)]
        yield int(drawn[np.argmax(prior_mean()(x[drawn]))])
    known: list[Replicates] = []
    while True:
        new = slice(len(known), None)
        known += [trained(table.pool, *one) for one in zip(search.tried[new], search.results[new], strict=True)]
        predict = strategy._predicting(x[search.tried], observed(known, IMAGES), None)
        mean = predict(x[search.tried])[0]
        near = table.apart[search.tried[int(np.argmax(mean))]]
        others = sorted(set(search.left) - set(table.plain), key=near.__getitem__)
        left = [*plain_left(), *others[: strategy.mutants_after(len(known))]] or others
        gains = expected_improvement(*predict(x[left]), float(mean.max()))
        yield left[int(np.argmax(gains))]


def evolution(search: Search, *, starts: bool = True) -> Iterator[int]:
    """Choose neighbours of the winners of tournaments, after designs and random networks."""
    strategy = Evolution(search.table.problem)
    if starts:
        yield from search.table.designs
    while len(search.tried) < strategy.warm_up:
        yield search.at_random()
    while True:
        alive = range(len(search.tried))[-strategy.population :]
        tournament = search.rng.choice(alive, size=min(strategy.tournament, len(alive)), replace=False)
        parent = search.tried[max(sorted(tournament), key=search.results.__getitem__)]
        mutants = sorted(search.left, key=lambda place: search.table.apart[parent, place])[:MUTANTS]
        yield int(search.rng.choice(mutants))


def optuna_sampler(search: Search, name: str, **settings: Any) -> Iterator[int]:
    """Choose the network nearest to the proposal of an Optuna sampler."""
    import optuna
    from optuna.distributions import CategoricalDistribution, IntDistribution
    from optuna.trial import TrialState, create_trial

    space = {
        name: CategoricalDistribution((0, 1))
        if each.scale == "choice"
        else IntDistribution(each.low, each.high, log=each.scale == "log")
        for name, each in search.table.ranges.items()
    }
    sampler = getattr(optuna.samplers, name)(seed=int(search.rng.integers(2**31)), **settings)
    with quiet():
        study = optuna.create_study(direction="maximize", sampler=sampler)
    while True:
        with quiet():
            asked = study.ask(space)
        place = search.table.nearest(asked.params, search.left)
        yield place
        with quiet():
            study.tell(asked, state=TrialState.FAIL)
        moved = create_trial(
            value=search.results[-1],
            params=search.table.parameters[place],
            distributions=space,
            # Genetic samplers store the generation here.
            system_attrs=study.get_trials(deepcopy=False)[-1].system_attrs,
        )
        study.add_trial(moved)


def keras_tuner_oracle(search: Search, at_random: int | None = None) -> Iterator[int]:
    """Choose the network nearest to the proposal of KerasTuner's Bayesian optimization, or the best by its acquisition.

    Args:
        search: State of the search.
        at_random: Number of random trials after which the network with the best acquisition value is chosen. KerasTuner
            itself maximizes over all values of the parameters, which takes minutes for a search. None to use
            KerasTuner's proposals throughout.
    """
    from tinysearch.runtime.backend import load_keras_tuner
    from tinysearch.search.keras_tuner.replay import OracleReplay

    load_keras_tuner()
    import keras_tuner

    from tinysearch.search.keras_tuner.acquisition import by_acquisition

    space = keras_tuner.HyperParameters()
    for name, each in search.table.ranges.items():
        if each.scale == "choice":
            space.Choice(name, [0, 1], ordered=False)
        else:
            space.Int(name, each.low, each.high, sampling=each.scale)
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(
        objective=keras_tuner.Objective("val_accuracy", direction="max"),
        hyperparameters=space,
        seed=int(search.rng.integers(1, 2**31)),
        num_initial_points=at_random,
    )
    table = search.table
    # The replay keeps the oracle from writing files and from leaving locks behind.
    with OracleReplay(oracle, table.problem.space):
        while True:
            left = search.left
            if at_random is not None and len(search.tried) >= at_random:
                with warnings.catch_warnings():
                    # Warnings that a length scale is at its bound.
                    warnings.simplefilter("ignore")
                    oracle.gpr.fit(*oracle._vectorize_trials())
                values = by_acquisition(oracle, [table.parameters[place] for place in left])[0]
                oracle.populate_space = lambda _, values=values: {"status": "RUNNING", "values": values}
            trial = oracle.create_trial("table")
            place = table.nearest(trial.hyperparameters.values, left)
            trial.hyperparameters.values = dict(table.parameters[place])
            yield place
            oracle.update_trial(trial.trial_id, {"val_accuracy": search.results[-1]})
            trial.status = "COMPLETED"
            oracle.end_trial(trial)


SLOW = "keras-tuner:BayesianOptimization, 5 at random"
SIDES: dict[str, Side] = {
    "plain": plain,
    "plain-rule": plain_rule,
    "bayesian": bayesian,
    "bayesian, no-prior": partial(bayesian, prior=False),
    "bayesian, random-start": partial(bayesian, starts=False),
    "bayesian, cold": partial(bayesian, starts=False, prior=False),
    "evolution": evolution,
    "evolution, random-start": partial(evolution, starts=False),
    "optuna:TPESampler": partial(optuna_sampler, name="TPESampler"),
    "optuna:NSGAIISampler": partial(optuna_sampler, name="NSGAIISampler"),
    "optuna:NSGAIISampler, generations of 10": partial(optuna_sampler, name="NSGAIISampler", population_size=10),
    "keras-tuner:BayesianOptimization": keras_tuner_oracle,
    SLOW: partial(keras_tuner_oracle, at_random=5),
}
