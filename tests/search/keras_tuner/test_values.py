"""Values for all that is active."""

from __future__ import annotations

from collections.abc import Callable

import keras_tuner

from tinysearch.search.keras_tuner.values import random_values, with_values


def declared() -> keras_tuner.HyperParameters:
    hp = keras_tuner.HyperParameters()
    hp.Choice("kind", ["a", "b"])
    for kind in ("a", "b"):
        with hp.conditional_scope("kind", [kind]):
            hp.Int(f"width {kind}", 3, 90, default=50)
            hp.Float(f"rate {kind}", 0.1, 0.9)
    return hp


def test_draws_are_those_of_keras_tuner(random_search: Callable[..., keras_tuner.Oracle]) -> None:
    ours, theirs = random_search(hyperparameters=declared()), random_search(hyperparameters=declared())
    for _ in range(20):
        drawn = random_values(ours)
        assert drawn == theirs._random_values()
        assert drawn is not None
        for oracle in (ours, theirs):
            oracle._tried_so_far.add(oracle._compute_values_hash(drawn))
    assert ours._seed_state == theirs._seed_state


def test_a_space_that_was_tried_has_no_more_draws(random_search: Callable[..., keras_tuner.Oracle]) -> None:
    hp = keras_tuner.HyperParameters()
    hp.Boolean("yes")
    oracle = random_search(hyperparameters=hp)
    for _ in range(2):
        drawn = random_values(oracle)
        assert drawn is not None
        oracle._tried_so_far.add(oracle._compute_values_hash(drawn))
    assert random_values(oracle) is None


def test_what_is_missing_is_added_and_what_is_not_active_is_left_out() -> None:
    space = declared()
    found = with_values(space, {"kind": "b", "width a": 7, "tuner/epochs": 3})
    assert found.values == {"kind": "b", "width b": 3, "rate b": 0.1, "tuner/epochs": 3}


def test_what_is_missing_has_the_value_of_the_declaration_that_is_active() -> None:
    space = keras_tuner.HyperParameters()
    space.Choice("kind", ["a", "b"])
    for kind, smallest in ("a", 1), ("b", 10):
        with space.conditional_scope("kind", [kind]):
            space.Int("width", smallest, 40)
    assert with_values(space, {"kind": "b"}).values == {"kind": "b", "width": 10}


def test_what_is_declared_later_is_not_declared_in_the_space() -> None:
    space = declared()
    found = with_values(space, space.values)
    found.Int("new", 1, 2)
    found.Int("width a", 1, 2)
    assert [one.name for one in space.space] == [one.name for one in declared().space]
    assert "new" not in space
