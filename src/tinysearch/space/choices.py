"""Legal choices as data: a tree of options, and what can be done with any such tree.

A tree is made of five kinds of node; a *value* of the tree is made of plain JSON values:

==============  =============================================  ==========================================
node            stands for                                     its value
==============  =============================================  ==========================================
``Choice``      one of some options                            the option
``Integers``    a whole number in a range                      the number
``Group``       several choices that are all made              ``{name: value, ...}``
``Switch``      one of several groups, by its kind             ``{"kind": name, **the group's value}``
``Repeated``    a list of values of one node, of any length    ``[value, ...]``
==============  =============================================  ==========================================

The weights of a ``Choice`` or ``Switch`` are the prior from which random values are drawn; the legal values are
the same whatever the weights.
"""

from __future__ import annotations

import bisect
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinysearch.errors import SpaceError

Value = Any


@dataclass(frozen=True)
class Choice:
    """One of ``options`` (all text, all numbers or all booleans), drawn with ``weights``.

    >>> Choice({"same": 1, "valid": 3}).options
    ('same', 'valid')
    """

    weights: Mapping[Any, float]
    options: tuple[Any, ...] = field(init=False)
    cumulative: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        if not self.weights or min(self.weights.values()) <= 0:
            raise SpaceError(f"a choice needs at least one option, each with a positive weight; got {self.weights}")
        total = sum(self.weights.values())
        object.__setattr__(self, "options", tuple(self.weights))
        sums = itertools.accumulate(weight / total for weight in self.weights.values())
        object.__setattr__(self, "cumulative", tuple(sums))


@dataclass(frozen=True)
class Integers:
    """A whole number from ``low`` to ``high``, both included.

    Drawn uniformly, or where ``mode`` says which number is the most likely as the mean of three draws from a triangular
    distribution, so that extremes are rare.
    """

    low: int
    high: int
    mode: int | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high:
            raise SpaceError(f"a range of integers goes from a low of at least 0 up, got {self.low} to {self.high}")
        if self.mode is not None and not self.low <= self.mode <= self.high:
            raise SpaceError(f"the mode of {self.low} to {self.high} lies within the range, got {self.mode}")


@dataclass(frozen=True)
class Group:
    """Several choices that are all made."""

    fields: Mapping[str, Node]


@dataclass(frozen=True)
class Switch:
    """One of several groups."""

    cases: Mapping[str, Group]
    weights: Mapping[str, float]
    kind: Choice = field(init=False)

    def __post_init__(self) -> None:
        if set(self.cases) != set(self.weights):
            raise SpaceError(f"a switch needs a weight for each case; got {set(self.cases)} and {set(self.weights)}")
        object.__setattr__(self, "kind", Choice(self.weights))


@dataclass(frozen=True)
class Repeated:
    """A list of ``low`` to ``high`` values of ``item``; for ``mode`` see ``Integers``.

    ``leading`` are items for the first places that differ from ``item`` in their weights alone: the prior of a first
    layer need not be that of a sixth.
    """

    item: Node
    low: int
    high: int
    mode: int | None = None
    leading: tuple[Node, ...] = ()
    length: Integers = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "length", Integers(self.low, self.high, self.mode))


Node = Choice | Integers | Group | Switch | Repeated
Chooser = Callable[[str, Choice | Integers], Any]


def draw(node: Node, choose: Chooser, path: str = "") -> Value:
    """Walk the tree, asking ``choose(path, leaf)`` for every choice that is active, and return the value made."""
    match node:
        case Choice() | Integers():
            return choose(path, node)
        case Group(fields):
            return {name: draw(child, choose, _join(path, name)) for name, child in fields.items()}
        case Switch(cases):
            kind = choose(_join(path, "kind"), node.kind)
            return {"kind": kind, **draw(cases[kind], choose, _join(path, kind))}
        case Repeated(item):
            length = choose(_join(path, "length"), node.length)
            items = itertools.chain(node.leading, itertools.repeat(item))
            return [
                draw(each, choose, _join(path, str(index))) for index, each in zip(range(length), items, strict=False)
            ]


def random_chooser(rng: np.random.Generator) -> Chooser:
    """Return a chooser that draws from the prior."""

    def choose(path: str, leaf: Choice | Integers) -> Any:
        if isinstance(leaf, Integers):
            if leaf.mode is None or leaf.low == leaf.high:
                return int(rng.integers(leaf.low, leaf.high + 1))
            return clamped(leaf, rng.triangular(leaf.low - 0.5, leaf.mode, leaf.high + 0.5, size=3).mean())
        index = bisect.bisect(leaf.cumulative, rng.random())
        return leaf.options[min(index, len(leaf.options) - 1)]

    return choose


def shortest_chooser(rng: np.random.Generator) -> Chooser:
    """Return a chooser that draws from the prior, but makes every list and number as small as it can be."""
    draw_from_prior = random_chooser(rng)

    def choose(path: str, leaf: Choice | Integers) -> Any:
        return leaf.low if isinstance(leaf, Integers) else draw_from_prior(path, leaf)

    return choose


def lookup_chooser(values: Mapping[str, Any]) -> Chooser:
    """Return a chooser that reads from a flat mapping, the reverse of ``flatten``."""

    def choose(path: str, leaf: Choice | Integers) -> Any:
        if path not in values:
            raise SpaceError(f"the values do not say what {path!r} is")
        if not _legal(leaf, values[path]):
            raise SpaceError(f"{path} must be {describe(leaf)}, got {values[path]!r}")
        return values[path]

    return choose


def flatten(node: Node, value: Value, path: str = "") -> dict[str, Any]:
    """Return every active choice of a value under its path.

    Raises:
        SpaceError: if the value is not legal.
    """
    match node:
        case Choice() | Integers():
            if not _legal(node, value):
                raise SpaceError(f"{path} must be {describe(node)}, got {value!r}")
            return {path: value}
        case Group(fields):
            flat = {}
            for name, child in fields.items():
                flat.update(flatten(child, value[name], _join(path, name)))
            return flat
        case Switch(cases):
            kind = value["kind"]
            flat = flatten(node.kind, kind, _join(path, "kind"))
            return {**flat, **flatten(cases[kind], value, _join(path, kind))}
        case Repeated(item):
            flat = flatten(node.length, len(value), _join(path, "length"))
            for index, child in enumerate(value):
                flat.update(flatten(item, child, _join(path, str(index))))
            return flat


def count(node: Node) -> int:
    """Return the exact number of values of a tree.

    >>> count(Repeated(Choice({"a": 1, "b": 1}), 1, 3))
    14
    """
    match node:
        case Choice():
            return len(node.options)
        case Integers(low, high):
            return high - low + 1
        case Group(fields):
            return math.prod(count(child) for child in fields.values())
        case Switch(cases):
            return sum(count(case) for case in cases.values())
        case Repeated(item, low, high):
            each = count(item)
            return sum(each**length for length in range(low, high + 1))


def values(node: Node) -> Iterator[Value]:
    """Yield every value of a tree; see ``count`` for how many there are."""
    match node:
        case Choice():
            yield from node.options
        case Integers(low, high):
            yield from range(low, high + 1)
        case Group(fields):
            for combination in itertools.product(*(list(values(child)) for child in fields.values())):
                yield dict(zip(fields, combination, strict=True))
        case Switch(cases):
            for kind, case in cases.items():
                yield from ({"kind": kind, **value} for value in values(case))
        case Repeated(item, low, high):
            each = list(values(item))
            for length in range(low, high + 1):
                yield from (list(combination) for combination in itertools.product(each, repeat=length))


def rows(node: Node, path: str = "") -> list[tuple[str, str]]:
    """Return the path of each choice and its legal values in words."""
    match node:
        case Choice() | Integers():
            return [(path, describe(node))]
        case Group(fields):
            return [row for name, child in fields.items() for row in rows(child, _join(path, name))]
        case Switch(cases):
            inner = [row for kind, case in cases.items() for row in rows(case, _join(path, kind))]
            return [(_join(path, "kind"), describe(node.kind)), *inner]
        case Repeated(item):
            return [(_join(path, "length"), describe(node.length)), *rows(item, _join(path, "*"))]


def register(node: Node, hyperparameters: Any, path: str = "") -> None:
    """Declare every choice of a tree, under the same paths as ``flatten``, to ``keras_tuner.HyperParameters``.

    What is active only for some kinds or lengths is declared in a conditional scope.
    """
    match node:
        case Choice(options=options):
            # KerasTuner's own choices turn booleans into integers.
            if len(options) == 1:
                hyperparameters.Fixed(path, options[0])
            elif set(map(type, options)) == {bool}:
                hyperparameters.Boolean(path, default=options[0])
            else:
                hyperparameters.Choice(path, list(options))
        case Integers(low, high):
            hyperparameters.Int(path, low, high)
        case Group(fields):
            for name, child in fields.items():
                register(child, hyperparameters, _join(path, name))
        case Switch(cases):
            name = _join(path, "kind")
            register(node.kind, hyperparameters, name)
            for kind, case in cases.items():
                with hyperparameters.conditional_scope(name, [kind]):
                    register(case, hyperparameters, _join(path, kind))
        case Repeated(item, low, high):
            name = _join(path, "length")
            register(node.length, hyperparameters, name)
            for index in range(high):
                longer = list(range(max(index + 1, low), high + 1))
                with hyperparameters.conditional_scope(name, longer):
                    register(item, hyperparameters, _join(path, str(index)))


def describe(leaf: Choice | Integers) -> str:
    """Return the legal values of a leaf in words.

    >>> describe(Integers(1, 32)), describe(Choice({"same": 1, "valid": 1}))
    ('1 to 32', 'same, valid')
    """
    if isinstance(leaf, Integers):
        return f"{leaf.low} to {leaf.high}"
    return ", ".join("yes" if option is True else "no" if option is False else str(option) for option in leaf.options)


def clamped(leaf: Integers, number: float) -> int:
    """Return the whole number of a range that is nearest to any number."""
    return min(max(leaf.low, round(number)), leaf.high)


def _legal(leaf: Choice | Integers, value: Any) -> bool:
    if isinstance(leaf, Integers):
        return isinstance(value, int) and not isinstance(value, bool) and leaf.low <= value <= leaf.high
    return any(value == option and type(value) is type(option) for option in leaf.options)


def _join(path: str, name: str) -> str:
    # Every trial of a run names the same choices: one string of each is enough.
    return sys.intern(f"{path}/{name}" if path else name)
