"""The registry that names the search strategies."""

from __future__ import annotations

from tinysearch.errors import RunError
from tinysearch.search.keras_tuner import strategy as keras_tuner
from tinysearch.search.keras_tuner.strategy import KerasTunerOracle, check_oracle_name
from tinysearch.search.optuna import strategy as optuna
from tinysearch.search.optuna.strategy import OptunaSampler, check_sampler_name
from tinysearch.search.strategies.bayesian import Bayesian
from tinysearch.search.strategies.evolution import Evolution
from tinysearch.search.strategies.halving import Halving
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy

STRATEGIES: dict[str, type[Strategy]] = {
    "bayesian": Bayesian,
    "evolution": Evolution,
    "halving": Halving,
    "random": RandomSearch,
}


def check_name(name: str) -> None:
    """Refuse an unknown strategy. Whether an oracle or a sampler of one's own exists is seen when it is made.

    Raises:
        RunError: if the name is unknown.
    """
    if name.startswith(keras_tuner.PREFIX):
        check_oracle_name(name)
    elif name.startswith(optuna.PREFIX):
        check_sampler_name(name)
    elif name not in STRATEGIES:
        oracles = [keras_tuner.PREFIX + oracle for oracle in (*keras_tuner.ORACLES, "package.MyOracle")]
        samplers = [optuna.PREFIX + sampler for sampler in (*optuna.SAMPLERS, "package.MySampler")]
        raise RunError(f"a strategy is one of {', '.join([*STRATEGIES, *oracles, *samplers])}; got {name!r}")


def strategy(name: str, problem: Problem) -> Strategy:
    """Return a strategy by its name.

    Raises:
        RunError: if the name is unknown, or what it needs is not installed.
    """
    check_name(name)
    if name.startswith(keras_tuner.PREFIX):
        return KerasTunerOracle(problem, name)
    if name.startswith(optuna.PREFIX):
        return OptunaSampler(problem, name)
    return STRATEGIES[name](problem)
