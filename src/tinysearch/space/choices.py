"""Trees of choices: the legal options of a search space as data, and the operations on such trees.

A tree has these kinds of nodes. A *value* of the tree consists of plain JSON values:

==============  =============================================  ==========================================
node            stands for                                     its value
==============  =============================================  ==========================================
``Choice``      one of some options                            the option
``Integers``    a whole number in a range, optionally stepped  the number
``Numbers``     one of some whole numbers                      the number
``Group``       several choices, all of them active            ``{name: value, ...}``
``Switch``      one of several groups, by its kind             ``{"kind": name, **the group's value}``
``Repeated``    a list of values of one node, variable length  ``[value, ...]``
==============  =============================================  ==========================================

The first three are the leaves, see ``leaves``. The weights of a ``Choice``, ``Numbers`` or ``Switch`` are the prior
for random draws; they do not change which values are legal.
"""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinysearch.errors import SpaceError
from tinysearch.space.leaves import Choice, Leaf, Size

Value = Any


@dataclass(frozen=True)
class Group:
    """Several choices, all of them active."""

    fields: Mapping[str, Node]


@dataclass(frozen=True)
class Switch:
    """Choice of one of several groups, by its kind."""

    cases: Mapping[str, Group]
    weights: Mapping[str, float]
    kind: Choice = field(init=False)

    def __post_init__(self) -> None:
        if set(self.cases) != set(self.weights):
            raise SpaceError(f"a switch needs a weight for each case; got {set(self.cases)} and {set(self.weights)}")
        object.__setattr__(self, "kind", Choice(self.weights))


@dataclass(frozen=True)
class Repeated:
    """List of values of ``item`` with one of the legal lengths.

    ``leading`` are the items of the first positions. They differ from ``item`` only in their weights, so that the prior
    of a first layer can differ from that of a sixth.
    """

    item: Node
    length: Size
    leading: tuple[Node, ...] = ()


Node = Leaf | Group | Switch | Repeated
Chooser = Callable[[str, Leaf], Any]


def draw(node: Node, choose: Chooser, path: str = "") -> Value:
    """Walk the tree, call ``choose(path, leaf)`` for every active choice, and return the resulting value."""
    match node:
        case Leaf():
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
    return lambda path, leaf: leaf.draw(rng)


def shortest_chooser(rng: np.random.Generator) -> Chooser:
    """Return a chooser that draws from the prior, except that every list and size is as small as possible."""
    return lambda path, leaf: leaf.smallest(rng)


def lookup_chooser(values: Mapping[str, Any]) -> Chooser:
    """Return a chooser that reads from a flat mapping, the reverse of ``flatten``."""

    def choose(path: str, leaf: Leaf) -> Any:
        if path not in values:
            raise SpaceError(f"the values have no entry {path!r}")
        _check(leaf, values[path], path)
        return values[path]

    return choose


def flatten(node: Node, value: Value, path: str = "") -> dict[str, Any]:
    """Return every active choice of a value by its path.

    Raises:
        SpaceError: if the value is not legal.
    """
    match node:
        case Leaf():
            _check(node, value, path)
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

    >>> from tinysearch.space.leaves import Integers
    >>> count(Repeated(Choice({"a": 1, "b": 1}), Integers(1, 3)))
    14
    """
    match node:
        case Leaf():
            return len(node.options)
        case Group(fields):
            return math.prod(count(child) for child in fields.values())
        case Switch(cases):
            return sum(count(case) for case in cases.values())
        case Repeated(item, length):
            each = count(item)
            return sum(each**items for items in length.options)


def values(node: Node) -> Iterator[Value]:
    """Yield every value of a tree; see ``count`` for their number."""
    match node:
        case Leaf():
            yield from node.options
        case Group(fields):
            for combination in itertools.product(*(list(values(child)) for child in fields.values())):
                yield dict(zip(fields, combination, strict=True))
        case Switch(cases):
            for kind, case in cases.items():
                yield from ({"kind": kind, **value} for value in values(case))
        case Repeated(item, length):
            each = list(values(item))
            for items in length.options:
                yield from (list(combination) for combination in itertools.product(each, repeat=items))


def rows(node: Node, path: str = "") -> list[tuple[str, str]]:
    """Return the path of each choice and its legal values in words."""
    match node:
        case Leaf():
            return [(path, node.describe())]
        case Group(fields):
            return [row for name, child in fields.items() for row in rows(child, _join(path, name))]
        case Switch(cases):
            inner = [row for kind, case in cases.items() for row in rows(case, _join(path, kind))]
            return [(_join(path, "kind"), node.kind.describe()), *inner]
        case Repeated(item):
            return [(_join(path, "length"), node.length.describe()), *rows(item, _join(path, "*"))]


def register(node: Node, hyperparameters: Any, path: str = "") -> None:
    """Declare every choice of a tree to ``keras_tuner.HyperParameters``, with the same paths as ``flatten``.

    Choices that are active only for some kinds or lengths are declared in a conditional scope.
    """
    match node:
        case Leaf():
            node.register(hyperparameters, path)
        case Group(fields):
            for name, child in fields.items():
                register(child, hyperparameters, _join(path, name))
        case Switch(cases):
            name = _join(path, "kind")
            register(node.kind, hyperparameters, name)
            for kind, case in cases.items():
                with hyperparameters.conditional_scope(name, [kind]):
                    register(case, hyperparameters, _join(path, kind))
        case Repeated(item, length):
            name = _join(path, "length")
            register(length, hyperparameters, name)
            for index in range(length.options[-1]):
                longer = [items for items in length.options if items > index]
                with hyperparameters.conditional_scope(name, longer):
                    register(item, hyperparameters, _join(path, str(index)))


def _check(leaf: Leaf, value: Any, path: str) -> None:
    if not leaf.is_legal(value):
        raise SpaceError(f"{path} must be {leaf.describe()}, got {value!r}")


def _join(path: str, name: str) -> str:
    # All trials of a run use the same paths, so they share one string for each.
    return sys.intern(f"{path}/{name}" if path else name)
