"""The registry that names the search strategies."""

from __future__ import annotations

from tinysearch.errors import RunError
from tinysearch.search.keras_tuner.strategy import ORACLES, PREFIX, KerasTunerOracle, check_oracle_name
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
    """Refuse an unknown strategy. Whether an oracle of one's own exists is seen when it is made.

    Raises:
        RunError: if the name is unknown.
    """
    if name.startswith(PREFIX):
        check_oracle_name(name)
    elif name not in STRATEGIES:
        oracles = ", ".join(PREFIX + oracle for oracle in (*ORACLES, "package.MyOracle"))
        raise RunError(f"a strategy is one of {', '.join(STRATEGIES)}, {oracles}; got {name!r}")


def strategy(name: str, problem: Problem) -> Strategy:
    """Return a strategy by its name.

    Raises:
        RunError: if the name is unknown.
    """
    check_name(name)
    return KerasTunerOracle(problem, name) if name.startswith(PREFIX) else STRATEGIES[name](problem)
