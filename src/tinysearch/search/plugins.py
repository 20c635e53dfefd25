"""Strategies and constraints that were given as values; the settings hold only their names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tinysearch.runtime.plugins import name_of
from tinysearch.search.settings import RunSettings
from tinysearch.space.constraint import Constraint


@dataclass(frozen=True, slots=True)
class Plugins:
    """Strategy and constraints given as values; a run resumed by name alone loads them by the names in its settings.

    Args:
        strategy: A class or function that makes a strategy from a problem; None for the strategy named in the settings.
        constraints: Pairs of a name and a constraint or a class of constraints.
    """

    strategy: Any = None
    constraints: tuple[tuple[str, Any], ...] = ()

    def strategy_of(self, settings: RunSettings) -> Any:
        """Return the strategy of a run: the given value, or else its name."""
        return settings.strategy if self.strategy is None else self.strategy

    def constraints_of(self, settings: RunSettings) -> list[tuple[str, Any | None]]:
        """Return the names of the constraints of a run, each with the given value or None."""
        given = dict(self.constraints)
        return [(name, given.get(name)) for name in settings.constraints]


NO_PLUGINS = Plugins()


def constraint_name(given: object) -> str:
    """Return the name of a constraint in the settings; for one with arguments it includes the ``repr``."""
    named = name_of(given)
    if not isinstance(given, Constraint):
        return named
    said = repr(given)
    return named if said.startswith("<") or said.endswith("()") else f"{named} {said}"
