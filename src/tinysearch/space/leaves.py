"""Single choices: the leaves of a tree of choices, see ``choices``.

Each leaf holds its options, draws from them, describes them and registers them with KerasTuner.
"""

from __future__ import annotations

import abc
import bisect
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinysearch.errors import SpaceError

# More options than this are described as a range if they form one.
_MANY = 8


class Leaf(abc.ABC):
    """Single choice from ``options``."""

    options: Sequence[Any]

    @abc.abstractmethod
    def draw(self, rng: np.random.Generator) -> Any:
        """Return a random option, drawn from the prior."""

    @abc.abstractmethod
    def smallest(self, rng: np.random.Generator) -> Any:
        """Return the smallest option; if options have no order, return one drawn from the prior."""

    @abc.abstractmethod
    def register(self, hyperparameters: Any, path: str) -> None:
        """Declare the choice to ``keras_tuner.HyperParameters``."""

    def is_legal(self, value: object) -> bool:
        """Return whether a value equals one of the options in value and type."""
        return any(value == option and type(value) is type(option) for option in self.options)

    def describe(self) -> str:
        """Return the options in words.

        >>> Integers(1, 32).describe(), Choice({"same": 1, "valid": 1}).describe()
        ('1 to 32', 'same, valid')
        """
        if len(self.options) > _MANY and all(type(option) is int for option in self.options):
            low, second, *_, high = self.options
            if second > low and list(self.options) == list(range(low, high + 1, second - low)):
                return Integers(low, high, step=second - low).describe()
        words = {True: "yes", False: "no"}
        return ", ".join(words[option] if isinstance(option, bool) else str(option) for option in self.options)


@dataclass(frozen=True)
class Choice(Leaf):
    """One of ``options`` (all text, all numbers or all booleans), drawn with ``weights``.

    >>> Choice({"same": 1, "valid": 3}).options
    ('same', 'valid')
    """

    weights: Mapping[Any, float]
    options: tuple[Any, ...] = field(init=False)
    cumulative: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "options", tuple(self.weights))
        object.__setattr__(self, "cumulative", _cumulative(self.weights))

    def draw(self, rng: np.random.Generator) -> Any:
        """Return an option, drawn with its weight."""
        return _drawn(self.options, self.cumulative, rng)

    def smallest(self, rng: np.random.Generator) -> Any:
        """Return an option, drawn with its weight."""
        return self.draw(rng)

    def register(self, hyperparameters: Any, path: str) -> None:
        """Declare the choice to ``keras_tuner.HyperParameters``."""
        # KerasTuner's own choices turn booleans into integers.
        if len(self.options) == 1:
            hyperparameters.Fixed(path, self.options[0])
        elif set(map(type, self.options)) == {bool}:
            hyperparameters.Boolean(path, default=self.options[0])
        else:
            hyperparameters.Choice(path, list(self.options))


class Size(Leaf):
    """Whole number, such as a width or a length; ``options`` are in ascending order, and mutation prefers near ones."""

    options: Sequence[int]

    def smallest(self, rng: np.random.Generator) -> int:
        """Return the smallest number."""
        return self.options[0]

    def nearest(self, number: float) -> int:
        """Return the option nearest to a number; of two that are equally near, the smaller one."""
        return min(self.options, key=lambda option: abs(option - number))


@dataclass(frozen=True)
class Integers(Size):
    """Whole number from ``low`` to ``high``, both included, in steps of ``step`` from ``low``.

    Without ``mode``, numbers are drawn uniformly. With ``mode``, the most likely number, each draw is the mean of three
    from a triangular distribution, so that extremes are rare. That distribution ends at ``usual`` if given: larger
    numbers are legal and reached by mutation and scaling, but never drawn.

    >>> list(Integers(8, 32, step=8).options)
    [8, 16, 24, 32]
    """

    low: int
    high: int
    mode: int | None = None
    step: int = 1
    usual: int | None = None
    options: range = field(init=False)

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise SpaceError(f"a range of integers must ascend from a low of at least 0, got {self.low} to {self.high}")
        if self.step < 1:
            raise SpaceError(f"the step of a range is at least 1, got {self.step}")
        object.__setattr__(self, "options", range(self.low, self.high + 1, self.step))
        object.__setattr__(self, "high", self.options[-1])
        if self.usual is not None and not self.low <= self.usual <= self.high:
            raise SpaceError(f"the usual end of {self.low} to {self.high} must lie within the range, got {self.usual}")
        if self.mode is not None and not self.low <= self.mode <= (self.usual or self.high):
            raise SpaceError(f"the mode of {self.low} to {self.high} must lie within the range, got {self.mode}")

    def draw(self, rng: np.random.Generator) -> int:
        """Return a random number of the range."""
        high = self.high if self.usual is None else self.usual
        if self.mode is None or self.low == high:
            return self.options[rng.integers(len(self.options))]
        half = self.step / 2
        return self.nearest(rng.triangular(self.low - half, self.mode, high + half, size=3).mean())

    def register(self, hyperparameters: Any, path: str) -> None:
        """Declare the range to ``keras_tuner.HyperParameters``."""
        hyperparameters.Int(path, self.low, self.high, step=self.step)

    def is_legal(self, value: object) -> bool:
        """Return whether a value is a number of the range."""
        return type(value) is int and value in self.options

    def nearest(self, number: float) -> int:
        """Return the number of the range nearest to a number."""
        first = self.low % self.step
        return min(max(self.low, first + self.step * round((number - first) / self.step)), self.high)

    def describe(self) -> str:
        """Return the range in words."""
        steps = "" if self.step == 1 else f" in steps of {self.step}"
        return f"{self.low} to {self.high}{steps}"


@dataclass(frozen=True)
class Numbers(Size):
    """One of several whole numbers, drawn with ``weights``.

    >>> Numbers({32: 1, 8: 3}).options
    (8, 32)
    """

    weights: Mapping[int, float]
    options: tuple[int, ...] = field(init=False)
    cumulative: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        weights = {number: self.weights[number] for number in sorted(self.weights)}
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "options", tuple(weights))
        object.__setattr__(self, "cumulative", _cumulative(weights))
        if self.options[0] < 0:
            raise SpaceError(f"the numbers of a choice are at least 0, got {self.options[0]}")

    def draw(self, rng: np.random.Generator) -> int:
        """Return a number, drawn with its weight."""
        return int(_drawn(self.options, self.cumulative, rng))

    def register(self, hyperparameters: Any, path: str) -> None:
        """Declare the numbers to ``keras_tuner.HyperParameters``."""
        if len(self.options) == 1:
            hyperparameters.Fixed(path, self.options[0])
        else:
            hyperparameters.Choice(path, list(self.options), ordered=True)


def _cumulative(weights: Mapping[Any, float]) -> tuple[float, ...]:
    if not weights or min(weights.values()) <= 0:
        raise SpaceError(f"a choice needs at least one option, each with a positive weight; got {weights}")
    total = sum(weights.values())
    return tuple(itertools.accumulate(weight / total for weight in weights.values()))


def _drawn(options: Sequence[Any], cumulative: Sequence[float], rng: np.random.Generator) -> Any:
    return options[min(bisect.bisect(cumulative, rng.random()), len(options) - 1)]
