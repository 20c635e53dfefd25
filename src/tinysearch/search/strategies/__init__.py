"""Search strategies, one file each, and the registry that names them."""

from __future__ import annotations

from tinysearch.errors import RunError
from tinysearch.search.strategies.evolution import Evolution
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy

STRATEGIES: dict[str, type[Strategy]] = {"evolution": Evolution, "random": RandomSearch}


def check_name(name: str) -> None:
    """Refuse an unknown strategy.

    Raises:
        RunError: if the name is unknown.
    """
    if name not in STRATEGIES:
        raise RunError(f"a strategy is one of {', '.join(STRATEGIES)}; got {name!r}")


def strategy(name: str, problem: Problem) -> Strategy:
    """Return a strategy by its name.

    Raises:
        RunError: if the name is unknown.
    """
    check_name(name)
    return STRATEGIES[name](problem)


__all__ = ["STRATEGIES", "Evolution", "Problem", "RandomSearch", "Strategy", "check_name", "strategy"]
