"""Quick descent to a small model in a space of hyperparameters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras_tuner

from tinysearch.search.keras_tuner.values import with_values

Count = Callable[[keras_tuner.HyperParameters], int | None]


def is_below(space: keras_tuner.HyperParameters, starts: Iterable[Mapping[str, Any]], count: Count, bound: int) -> bool:
    """Descend to small models from each start, and return whether one is below a bound.

    A step changes one hyperparameter, to an end of its range, a number in between (see ``_numbers``) or any of its
    choices, if that makes the model smaller. It ends when no step does, which need not be at the smallest model of all.

    Args:
        space: The hyperparameters.
        starts: Initial values.
        count: Returns the size of the model of some values, or None if it cannot be built.
        bound: The descent ends at the first model below it.
    """
    for start in starts:
        begun = with_values(space, start)
        size, values = count(begun), dict(begun.values)
        improved = True
        while improved and (size is None or size >= bound):
            improved = False
            for changed in _neighbours(space, values):
                hyperparameters = with_values(space, changed)
                found = count(hyperparameters)
                if found is not None and (size is None or found < size):
                    values, size, improved = dict(hyperparameters.values), found, True
                    break
        if size is not None and size < bound:
            return True
    return False


def _neighbours(space: keras_tuner.HyperParameters, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    known = with_values(space, values)
    # Several hyperparameters may share a name, under conditions of which only one holds.
    active = [one for one in space.space if one.name in values and known.is_active(one)]
    for one in active:
        # Hyperparameters that depend on it start at their smallest number: their values may be for another condition.
        kept = {other.name: values[other.name] for other in active if one.name not in _parents(other)}
        options = _numbers(one, values[one.name]) if hasattr(one, "min_value") else list(one.values)
        for option in options:
            if option != values[one.name]:
                yield {**kept, one.name: option}


def _parents(one: Any) -> set[str]:
    return {condition.name for condition in one.conditions}


def _numbers(one: Any, value: float) -> list[float]:
    """Return the ends of a range, the neighbours of a value and the midpoints to each end: a minimum may be inside."""
    low, high = one.min_value, one.max_value
    step = one.step if one.step and one.sampling in (None, "linear") else 1 if isinstance(value, int) else None
    found = [low, high, (value + low) / 2, (value + high) / 2]
    if step is not None:
        found = [low + step * round((number - low) / step) for number in found] + [value - step, value + step]
    kind = type(value)
    return [number for number in dict.fromkeys(map(kind, found)) if low <= number <= high]
