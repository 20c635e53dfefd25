"""The registry of search strategies by name, and the loading of plugins for strategies and constraints."""

from __future__ import annotations

from collections.abc import Iterable

from tinysearch.errors import RunError, meant
from tinysearch.runtime.plugins import find, made, names
from tinysearch.search.keras_tuner import strategy as keras_tuner
from tinysearch.search.keras_tuner.strategy import KerasTunerOracle, check_oracle_name
from tinysearch.search.optuna import strategy as optuna
from tinysearch.search.optuna.strategy import OptunaSampler, check_sampler_name
from tinysearch.search.strategies.bayesian import Bayesian
from tinysearch.search.strategies.evolution import Evolution
from tinysearch.search.strategies.halving import Halving
from tinysearch.search.strategies.pareto import COSTS, PREFIX, Pareto
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.space.constraint import Constraint

STRATEGIES: dict[str, type[Strategy]] = {
    "bayesian": Bayesian,
    "evolution": Evolution,
    "halving": Halving,
    "pareto": Pareto,
    "random": RandomSearch,
}
# Strategies that search the front of accuracy and a named cost.
FRONTS = tuple(PREFIX + cost for cost in COSTS)


def check_name(name: str) -> None:
    """Raise an error if a strategy is unknown. Whether a user's oracle or sampler exists is checked on creation.

    Raises:
        RunError: if the name is unknown.
    """
    if name.startswith(keras_tuner.PREFIX):
        check_oracle_name(name)
    elif name.startswith(optuna.PREFIX):
        check_sampler_name(name)
    elif name.startswith(PREFIX):
        if name.removeprefix(PREFIX) not in COSTS:
            raise RunError(
                f"a strategy that sets accuracy against a cost is one of {_listed(FRONTS)}; got "
                f"{name!r}{meant(name, FRONTS)}"
            )
    elif ":" not in name and name not in names("strategy", STRATEGIES):
        oracles = [keras_tuner.PREFIX + oracle for oracle in (*keras_tuner.ORACLES, "package.MyOracle")]
        samplers = [optuna.PREFIX + sampler for sampler in (*optuna.SAMPLERS, "package.MySampler")]
        known = [*names("strategy", STRATEGIES), *FRONTS, *oracles, *samplers]
        raise RunError(f"a strategy is one of {_listed(known)}, or module:Class; got {name!r}{meant(name, known)}")


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def strategy(given: object, problem: Problem) -> Strategy:
    """Return a strategy.

    Args:
        given: A name, or a class or function that makes a strategy from a problem.
        problem: Space, budget and recipe.

    Raises:
        RunError: if the name is unknown, or a package that the strategy needs is not installed.
        PluginError: if a user's strategy cannot be loaded or made.
    """
    if not isinstance(given, str):
        found: Strategy = made("strategy", given, Strategy, problem)
        return found
    check_name(given)
    if given.startswith(keras_tuner.PREFIX):
        return KerasTunerOracle(problem, given)
    if given.startswith(optuna.PREFIX):
        return OptunaSampler(problem, given)
    if given.startswith(PREFIX):
        return Pareto(problem, given.removeprefix(PREFIX))
    if given in STRATEGIES:
        return STRATEGIES[given](problem)
    return strategy(find("strategy", given, STRATEGIES), problem)


def uses_history(given: object) -> bool:
    """Return whether a strategy uses the history, see ``Strategy``.

    Args:
        given: As for ``strategy``. A function is assumed to make a strategy that does.

    Raises:
        PluginError: if a user's strategy cannot be loaded.
    """
    found = given
    if isinstance(given, str):
        is_outside = given.startswith((keras_tuner.PREFIX, optuna.PREFIX, PREFIX))
        found = Strategy if is_outside else STRATEGIES.get(given) or find("strategy", given, STRATEGIES)
    return bool(getattr(found, "uses_history", True))


def constraint(name: str, given: object | None) -> Constraint:
    """Return a constraint: the given one or, if it is None, the plugin of that name.

    Raises:
        PluginError: if it cannot be loaded or made.
    """
    found: Constraint = made("constraint", find("constraint", name) if given is None else given, Constraint)
    return found
