"""Variation of values of a tree of choices: random mutants, all neighbours, and scaling of all sizes."""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterator

import numpy as np

from tinysearch.space.choices import Group, Node, Repeated, Switch, Value, draw, random_chooser, shortest_chooser
from tinysearch.space.leaves import Choice, Leaf, Size

Path = tuple[str | int, ...]


def mutate(node: Node, value: Value, rng: np.random.Generator) -> Value:
    """Return a random mutant that differs from ``value`` in one place.

    One of three changes is made, with equal probability among the possible ones: a size changes, an option changes, or
    the structure changes. In the structure, an item of a list is added, removed, copied or swapped with its neighbour,
    or a switch changes its kind and keeps the fields that both kinds have. The result is legal. It equals ``value`` if
    nothing can change or if equal neighbours were swapped.
    """
    places = list(_places(node, value, ()))
    families = [
        [place for place in places if isinstance(place[1], Size)],
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
    """Yield the values that differ from ``value`` in one place: other options, smallest sizes, next shorter lists."""
    for path, place, old in _places(node, value, ()):
        news: list[Value]
        match place:
            case Choice():
                news = [option for option in place.options if option != old]
            case Size():
                news = [place.options[0]] if old != place.options[0] else []
            case Switch(cases):
                first = shortest_chooser(np.random.default_rng(0))
                news = [{"kind": kind, **draw(case, first)} for kind, case in cases.items() if kind != old["kind"]]
            case Repeated(_, length):
                shorter, _ = _next_lengths(length, len(old))
                less = len(old) - (len(old) if shorter is None else shorter)
                news = [old[:index] + old[index + less :] for index in range(len(old) - less + 1) if less]
            case _:
                news = []
        for new in news:
            yield _replace(value, path, new)


def scale(node: Node, value: Value, name: str, factor: float) -> Value:
    """Return a value with every size called ``name`` multiplied by ``factor`` and rounded to its nearest option."""
    match node:
        case Group(fields):
            return {
                key: child.nearest(value[key] * factor)
                if key == name and isinstance(child, Size)
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
    """Yield every place of a value that can change: its path, its node and its value."""
    match node:
        case Leaf():
            if len(node.options) > 1:
                yield path, node, value
        case Group(fields):
            for name, child in fields.items():
                yield from _places(child, value[name], (*path, name))
        case Switch(cases):
            if len(cases) > 1:
                yield path, node, value
            yield from _places(cases[value["kind"]], value, path)
        case Repeated(item, length):
            if len(length.options) > 1 or len(value) > 1:
                yield path, node, value
            for index, child in enumerate(value):
                yield from _places(item, child, (*path, index))


def _changed(node: Node, old: Value, rng: np.random.Generator) -> Value:
    match node:
        case Choice():
            others = [option for option in node.options if option != old]
            return others[rng.integers(len(others))]
        case Size(options=options):
            wanted = old * math.exp(rng.uniform(-0.5, 0.5))
            near = node.nearest(wanted)
            if options[0] <= round(wanted) <= options[-1] and near != old:
                return near
            index = int(rng.integers(len(options) - 1))
            return options[index + (options[index] >= old)]
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
        case Repeated(item, length):
            return _reshaped(old, item, length, rng)
    raise AssertionError(f"nothing to change in {node}")


def _reshaped(old: list[Value], item: Node, length: Size, rng: np.random.Generator) -> list[Value]:
    shorter, longer = _next_lengths(length, len(old))
    ways = []
    if longer is not None:
        ways += ["add", "copy"] if old else ["add"]
    if shorter is not None:
        ways.append("remove")
    if len(old) > 1:
        ways.append("swap")
    way = ways[rng.integers(len(ways))]
    new = list(old)
    if way == "swap":
        index = int(rng.integers(len(old) - 1))
        new[index], new[index + 1] = new[index + 1], new[index]
    while way == "add" and len(new) != longer:
        new.insert(int(rng.integers(len(new) + 1)), draw(item, random_chooser(rng)))
    while way == "copy" and len(new) != longer:
        index = int(rng.integers(len(new)))
        new.insert(index, new[index])
    while way == "remove" and len(new) != shorter:
        del new[int(rng.integers(len(new)))]
    return new


def _next_lengths(length: Size, now: int) -> tuple[int | None, int | None]:
    """Return the next shorter and the next longer legal length, each None if there is none."""
    shorter, longer = bisect.bisect_left(length.options, now), bisect.bisect(length.options, now)
    return (
        length.options[shorter - 1] if shorter else None,
        length.options[longer] if longer < len(length.options) else None,
    )


def _replace(value: Value, path: Path, new: Value) -> Value:
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = _replace(value[path[0]], path[1:], new)
    return copy
