from __future__ import annotations

import dataclasses

import numpy as np

from tinysearch.search.recipe_choices import KNOBS, mutated, recipe_features, sampled
from tinysearch.training.recipe import Recipe


def differing(one: Recipe, other: Recipe) -> list[str]:
    return [item.name for item in dataclasses.fields(Recipe) if getattr(one, item.name) != getattr(other, item.name)]


def test_every_option_of_every_knob_is_drawn_and_nothing_else_changes() -> None:
    rng, base = np.random.default_rng(0), Recipe(epochs=7)
    drawn = [sampled(base, rng) for _ in range(400)]
    for name, knob in KNOBS.items():
        assert {getattr(one, name) for one in drawn} == set(knob.options)
    assert all(set(differing(one, base)) <= set(KNOBS) for one in drawn)


def test_the_default_recipe_is_among_what_is_drawn() -> None:
    for name, knob in KNOBS.items():
        assert getattr(Recipe(), name) in knob.options


def test_a_mutation_changes_one_knob_of_any_recipe() -> None:
    rng = np.random.default_rng(0)
    for base in (Recipe(), Recipe(learning_rate=0.07)):
        mutants = [mutated(base, rng) for _ in range(200)]
        assert all(len(differing(one, base)) == 1 for one in mutants)
        assert {differing(one, base)[0] for one in mutants} == set(KNOBS)


def test_features_are_numbers_that_tell_every_mutation() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        one = sampled(Recipe(), rng)
        before, after = np.array(recipe_features(one)), np.array(recipe_features(mutated(one, rng)))
        assert np.isfinite(before).all()
        assert (before != after).sum() == 1
