"""Changing values of a tree of choices: in one place at random, in every place at once, or all sizes together."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from tinysearch.space.choices import (
    Choice,
    Group,
    Integers,
    Node,
    Repeated,
    Switch,
    Value,
    clamped,
    count,
    draw,
    random_chooser,
    shortest_chooser,
)

Path = tuple[str | int, ...]


def mutate(node: Node, value: Value, rng: np.random.Generator) -> Value:
    """Return a value that differs from ``value`` in one place.

    One of three things happens with equal chance, where it is possible: an integer changes, an option changes, or the
    structure does (an item of a list is added, removed, copied or swapped with its neighbour; a switch goes to
    another kind and keeps what both kinds have). The result is legal; it is ``value`` itself if nothing can
    change or if equal neighbours were swapped.
    """
    places = list(_places(node, value, ()))
    families = [
        [place for place in places if isinstance(place[1], Integers)],
        [place for place in places if isinstance(place[1], Choice)],
        [place for place in places if isinstance(place[1], (Switch, Repeated))],
    ]
    families = [family for family in families if family]
    if not families:
        return value
    family = families[rng.integers(len(families))]
    path, changed, old = family[rng.integers(len(family))]
    return _replace(value, path, _changed(changed, old, rng))


def neighbours(node: Node, value: Value) -> Iterator[Value]:
    """Yield values that differ from ``value`` in one place: every other option, the lowest number, one item less."""
    for path, place, old in _places(node, value, ()):
        news: list[Value]
        match place:
            case Choice():
                news = [option for option in place.options if option != old]
            case Integers(low):
                news = [low] if old != low else []
            case Switch(cases):
                first = shortest_chooser(np.random.default_rng(0))
                news = [{"kind": kind, **draw(case, first)} for kind, case in cases.items() if kind != old["kind"]]
            case Repeated(_, low):
                news = [old[:index] + old[index + 1 :] for index in range(len(old)) if len(old) > low]
            case _:
                news = []
        for new in news:
            yield _replace(value, path, new)


def scale(node: Node, value: Value, name: str, factor: float) -> Value:
    """Multiply every integer called ``name`` by ``factor``, rounded and kept within its range."""
    match node:
        case Group(fields):
            return {
                key: clamped(child, value[key] * factor)
                if key == name and isinstance(child, Integers)
                else scale(child, value[key], name, factor)
                for key, child in fields.items()
            }
        case Switch(cases):
            return {"kind": value["kind"], **scale(cases[value["kind"]], value, name, factor)}
        case Repeated(item):
            return [scale(item, child, name, factor) for child in value]
        case _:
            return value


def _places(node: Node, value: Value, path: Path) -> Iterator[tuple[Path, Node, Value]]:
    """Yield every place of a value that could be another, with its node."""
    match node:
        case Choice() | Integers():
            if count(node) > 1:
                yield path, node, value
        case Group(fields):
            for name, child in fields.items():
                yield from _places(child, value[name], (*path, name))
        case Switch(cases):
            if len(cases) > 1:
                yield path, node, value
            yield from _places(cases[value["kind"]], value, path)
        case Repeated(item, low, high):
            if high > low or len(value) > 1:
                yield path, node, value
            for index, child in enumerate(value):
                yield from _places(item, child, (*path, index))


def _changed(node: Node, old: Value, rng: np.random.Generator) -> Value:
    match node:
        case Choice():
            others = [option for option in node.options if option != old]
            return others[rng.integers(len(others))]
        case Integers(low, high):
            near = round(old * math.exp(rng.uniform(-0.5, 0.5)))
            if low <= near <= high and near != old:
                return near
            other = int(rng.integers(low, high))
            return other + (other >= old)
        case Switch(cases):
            others = [kind for kind in cases if kind != old["kind"]]
            kind = others[rng.integers(len(others))]
            new = draw(cases[kind], random_chooser(rng))
            kept = {
                name: old[name]
                for name, child in cases[kind].fields.items()
                if name in old and child == node.cases[old["kind"]].fields[name]
            }
            return {"kind": kind, **new, **kept}
        case Repeated(item, low, high):
            return _reshaped(old, item, low, high, rng)
    raise AssertionError(f"nothing to change in {node}")


def _reshaped(old: list[Value], item: Node, low: int, high: int, rng: np.random.Generator) -> list[Value]:
    ways = []
    if len(old) < high:
        ways += ["add", "copy"] if old else ["add"]
    if len(old) > low:
        ways.append("remove")
    if len(old) > 1:
        ways.append("swap")
    way = ways[rng.integers(len(ways))]
    new = list(old)
    if way == "add":
        new.insert(int(rng.integers(len(old) + 1)), draw(item, random_chooser(rng)))
    elif way == "copy":
        index = int(rng.integers(len(old)))
        new.insert(index, old[index])
    elif way == "remove":
        del new[int(rng.integers(len(old)))]
    else:
        index = int(rng.integers(len(old) - 1))
        new[index], new[index + 1] = new[index + 1], new[index]
    return new


def _replace(value: Value, path: Path, new: Value) -> Value:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replace(value[path[0]], path[1:], new)
    return copy
