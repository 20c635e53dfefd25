"""Descending to the smallest model of a space."""

from __future__ import annotations

import keras_tuner

from tinysearch.search.keras_tuner.smallest import is_below


def test_each_of_several_declarations_of_a_name_has_its_own_numbers() -> None:
    space = keras_tuner.HyperParameters()
    space.Choice("kind", ["wide", "narrow"])
    with space.conditional_scope("kind", ["narrow"]):
        space.Int("units", 1, 3)
    with space.conditional_scope("kind", ["wide"]):
        space.Int("units", 10, 30)
    tried: set[tuple[str, int]] = set()

    def count(hp: keras_tuner.HyperParameters) -> int:
        tried.add((hp.values["kind"], hp.values["units"]))
        return int(hp.values["units"])

    assert not is_below(space, [{"kind": "wide", "units": 20}], count, 1)
    assert all((units >= 10) == (kind == "wide") for kind, units in tried)
