from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import keras_tuner
import numpy as np
import pytest

from tinysearch.errors import SpaceError
from tinysearch.space.choices import (
    Group,
    Node,
    Repeated,
    Switch,
    count,
    draw,
    flatten,
    lookup_chooser,
    random_chooser,
    register,
    rows,
    shortest_chooser,
    values,
)
from tinysearch.space.leaves import Choice, Integers, Numbers
from tinysearch.space.variation import mutate, neighbours, scale

COLOUR = Choice({"red": 3, "blue": 1})
TREES: dict[str, Node] = {
    "choice": COLOUR,
    "integers": Integers(2, 5),
    "steps": Integers(2, 12, step=3),
    "numbers": Numbers({9: 1, 2: 3, 4: 1}),
    "group": Group({"colour": COLOUR, "width": Integers(0, 2)}),
    "switch": Switch(
        {"a": Group({"width": Integers(1, 2)}), "b": Group({"flag": Choice({False: 1, True: 1})})}, {"a": 1, "b": 2}
    ),
    "repeated": Repeated(Integers(1, 2), Integers(0, 3)),
    "repeated in steps": Repeated(Integers(1, 2), Integers(0, 4, step=2)),
    "repeated so often": Repeated(Integers(1, 2), Numbers({1: 1, 4: 1})),
    "nested": Group(
        {
            "blocks": Repeated(
                Switch(
                    {"a": Group({"width": Integers(1, 3)}), "b": Group({"width": Integers(1, 3), "colour": COLOUR})},
                    {"a": 1, "b": 1},
                ),
                Integers(1, 2),
            ),
            "end": Choice({0.0: 1, 0.5: 1}),
        }
    ),
}
every_tree = pytest.mark.parametrize("tree", TREES.values(), ids=TREES)
Enumerate = Callable[[Node], Iterator[Any]]


@every_tree
def test_count_is_the_number_of_distinct_values(tree: Node, every_value: Enumerate) -> None:
    shown = [repr(value) for value in every_value(tree)]
    assert count(tree) == len(shown) == len(set(shown))


@every_tree
def test_values_are_all_there_are(tree: Node, every_value: Enumerate) -> None:
    assert sorted(map(repr, values(tree))) == sorted(map(repr, every_value(tree)))


@every_tree
def test_flat_values_make_the_value_again(tree: Node, every_value: Enumerate) -> None:
    for value in every_value(tree):
        flat = flatten(tree, value)
        assert draw(tree, lookup_chooser(flat)) == value
        assert draw(tree, lookup_chooser({**flat, "inactive": 1})) == value


@every_tree
def test_every_value_can_be_drawn(tree: Node, every_value: Enumerate) -> None:
    choose = random_chooser(np.random.default_rng(0))
    drawn = {repr(draw(tree, choose)) for _ in range(200 * count(tree))}
    assert drawn == {repr(value) for value in every_value(tree)}


def test_drawing_follows_the_weights() -> None:
    choose = random_chooser(np.random.default_rng(0))
    drawn = Counter(draw(COLOUR, choose) for _ in range(4_000))
    assert drawn["red"] / 4_000 == pytest.approx(0.75, abs=0.03)


@every_tree
def test_the_shortest_value_has_the_lowest_numbers(tree: Node) -> None:
    value = draw(tree, shortest_chooser(np.random.default_rng(0)))
    lows = {path: leaf for path, leaf in flatten(tree, value).items() if path.endswith(("width", "length"))}
    assert all(number <= 1 for number in lows.values())


@every_tree
def test_mutation_is_legal_deterministic_and_leaves_the_value_alone(tree: Node, every_value: Enumerate) -> None:
    legal = {repr(value) for value in every_value(tree)}
    for value in every_value(tree):
        before = repr(value)
        mutants = [mutate(tree, value, np.random.default_rng(seed)) for seed in range(20)]
        assert {repr(mutant) for mutant in mutants} <= legal
        assert any(mutant != value for mutant in mutants)
        assert mutants == [mutate(tree, value, np.random.default_rng(seed)) for seed in range(20)]
        assert repr(value) == before


@every_tree
def test_mutation_reaches_every_value(tree: Node, every_value: Enumerate) -> None:
    rng = np.random.default_rng(0)
    value = next(iter(every_value(tree)))
    reached = set()
    for _ in range(60 * count(tree)):
        value = mutate(tree, value, rng)
        reached.add(repr(value))
    assert len(reached) == count(tree)


def test_what_cannot_change_is_its_own_mutant() -> None:
    tree = Group({"colour": Choice({"red": 1}), "width": Integers(3, 3)})
    value = {"colour": "red", "width": 3}
    assert mutate(tree, value, np.random.default_rng(0)) == value


def test_a_switch_to_another_kind_keeps_what_both_have() -> None:
    cases = {"a": Group({"width": Integers(1, 1_000)}), "b": Group({"width": Integers(1, 1_000), "colour": COLOUR})}
    tree = Switch(cases, {"a": 1, "b": 1})
    mutants = [mutate(tree, {"kind": "a", "width": 123}, np.random.default_rng(seed)) for seed in range(20)]
    switched = [mutant for mutant in mutants if mutant["kind"] == "b"]
    assert switched
    assert {mutant["width"] for mutant in switched} == {123}


@every_tree
def test_neighbours_are_legal_and_differ(tree: Node, every_value: Enumerate) -> None:
    legal = {repr(value) for value in every_value(tree)}
    for value in every_value(tree):
        near = [repr(neighbour) for neighbour in neighbours(tree, value)]
        assert set(near) <= legal - {repr(value)}


def test_scaling_multiplies_what_is_called_so_and_stays_in_range() -> None:
    value = {"blocks": [{"kind": "a", "width": 2}, {"kind": "b", "width": 1, "colour": "red"}], "end": 0.5}

    def widths(factor: float) -> list[int]:
        scaled = scale(TREES["nested"], value, "width", factor)
        flatten(TREES["nested"], scaled)
        return [block["width"] for block in scaled["blocks"]]

    assert widths(1) == [2, 1]
    assert widths(0) == [1, 1]
    assert widths(1.5) == [3, 2]
    assert widths(10) == [3, 3]


def test_scaling_stays_among_the_options() -> None:
    tree = Repeated(Group({"width": Numbers({8: 1, 16: 1, 64: 1})}), Integers(1, 3))

    def widths(factor: float) -> list[int]:
        return [block["width"] for block in scale(tree, [{"width": 8}, {"width": 16}], "width", factor)]

    assert widths(1) == [8, 16]
    assert widths(0) == [8, 8]
    assert widths(2) == [16, 16]
    assert widths(3) == [16, 64]
    assert widths(100) == [64, 64]


def test_a_size_mutates_as_often_whether_it_is_a_range_or_options() -> None:
    flags = {f"flag {number}": Choice({False: 1, True: 1}) for number in range(9)}
    value = {"width": 16, **dict.fromkeys(flags, False)}

    def changed(width: Node) -> int:
        tree = Group({"width": width, **flags})
        return sum(mutate(tree, value, np.random.default_rng(seed))["width"] != 16 for seed in range(200))

    assert changed(Numbers({8: 1, 16: 1, 24: 1})) == changed(Integers(8, 24, step=8)) == changed(Integers(8, 24)) > 60


@every_tree
def test_keras_tuner_knows_every_choice_by_its_path(tree: Node, every_value: Enumerate) -> None:
    tree = Group({"root": tree})
    hyperparameters = keras_tuner.HyperParameters()
    register(tree, hyperparameters)
    declared = {one.name for one in hyperparameters.space}
    used = {path for value in every_value(tree) for path in flatten(tree, value)}
    assert declared == used


def test_inactive_choices_are_conditional_for_keras_tuner() -> None:
    hyperparameters = keras_tuner.HyperParameters()
    register(TREES["nested"], hyperparameters)
    conditions = {
        one.name: {condition.name: condition.values for condition in one.conditions} for one in hyperparameters.space
    }
    assert conditions["end"] == {}
    assert conditions["blocks/0/kind"] == {"blocks/length": [1, 2]}
    assert conditions["blocks/1/b/colour"] == {"blocks/length": [2], "blocks/1/kind": ["b"]}


def test_rows_name_each_choice_once_whatever_the_length() -> None:
    assert rows(TREES["nested"]) == [
        ("blocks/length", "1 to 2"),
        ("blocks/*/kind", "a, b"),
        ("blocks/*/a/width", "1 to 3"),
        ("blocks/*/b/width", "1 to 3"),
        ("blocks/*/b/colour", "red, blue"),
        ("end", "0.0, 0.5"),
    ]


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Switch({"a": Group({})}, {"b": 1}), "a weight for each case; got {'a'} and {'b'}"),
        (lambda: Switch({}, {}), "at least one option"),
    ],
)
def test_a_bad_tree_is_refused_by_value(make: Callable[[], object], named: str) -> None:
    with pytest.raises(SpaceError) as caught:
        make()
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("flat", "named"),
    [
        ({}, "have no entry 'colour'"),
        ({"colour": "red"}, "have no entry 'width'"),
        ({"colour": "green", "width": 1}, "colour must be red, blue, got 'green'"),
        ({"colour": "red", "width": 3}, "width must be 0 to 2, got 3"),
        ({"colour": "red", "width": 1.0}, "width must be 0 to 2, got 1.0"),
        ({"colour": "red", "width": "1"}, "got '1'"),
    ],
)
def test_flat_values_that_are_not_legal_are_refused_by_name(flat: dict[str, Any], named: str) -> None:
    with pytest.raises(SpaceError) as caught:
        draw(TREES["group"], lookup_chooser(flat))
    assert named in str(caught.value)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"blocks": [], "end": 0.0}, "blocks/length must be 1 to 2, got 0"),
        ({"blocks": [{"kind": "c"}], "end": 0.0}, "blocks/0/kind must be a, b, got 'c'"),
        ({"blocks": [{"kind": "a", "width": 4}], "end": 0.0}, "blocks/0/a/width must be 1 to 3, got 4"),
        ({"blocks": [{"kind": "a", "width": True}], "end": 0.0}, "got True"),
        ({"blocks": [{"kind": "a", "width": 1}], "end": 0.25}, "end must be 0.0, 0.5, got 0.25"),
    ],
)
def test_a_value_that_is_not_legal_is_refused_by_path(value: Any, named: str) -> None:
    with pytest.raises(SpaceError) as caught:
        flatten(TREES["nested"], value)
    assert named in str(caught.value)
