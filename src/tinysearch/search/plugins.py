"""Strategies and constraints that were given as values, beside the settings, which hold their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinysearch.runtime.plugins import name_of
from tinysearch.search.settings import RunSettings
from tinysearch.space.constraint import Constraint


@dataclass(frozen=True, slots=True)
class Plugins:
    """What was given as values; a run that goes on from its name alone loads them by the names in its settings.

    Args:
        strategy: A class or function that makes a strategy of a problem; None for the one that is named.
        constraints: Constraints by name, or classes of them.
    """

    strategy: Any = None
    constraints: tuple[tuple[str, Any], ...] = ()

    def strategy_of(self, settings: RunSettings) -> Any:
        """Return the strategy of a run: its value if that was given, else its name."""
        return settings.strategy if self.strategy is None else self.strategy

    def constraints_of(self, settings: RunSettings) -> list[tuple[str, Any | None]]:
        """Return the names of the constraints of a run, each with its value if that was given."""
        given = dict(self.constraints)
        return [(name, given.get(name)) for name in settings.constraints]


NO_PLUGINS = Plugins()


def constraint_name(given: object) -> str:
    """Return how a constraint is called in the settings: one with arguments is told apart by its ``repr``."""
    named = name_of(given)
    if not isinstance(given, Constraint):
        return named
    said = repr(given)
    return named if said.startswith("<") or said.endswith("()") else f"{named} {said}"
