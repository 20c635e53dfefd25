"""Search strategies, one file each, and the registry that names them."""

from __future__ import annotations

from tinysearch.errors import SpaceError
from tinysearch.search.strategies.evolution import Evolution
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy

STRATEGIES: dict[str, type[Strategy]] = {"evolution": Evolution, "random": RandomSearch}


def strategy(name: str, problem: Problem) -> Strategy:
    """Return a strategy by its name.

    Raises:
        SpaceError: if the name is unknown.
    """
    if name not in STRATEGIES:
        raise SpaceError(f"a strategy is one of {', '.join(STRATEGIES)}; got {name!r}")
    return STRATEGIES[name](problem)


__all__ = ["STRATEGIES", "Evolution", "Problem", "RandomSearch", "Strategy", "strategy"]
