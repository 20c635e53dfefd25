from __future__ import annotations

import json
from typing import Any

import pytest

from tinysearch.errors import RecipeError
from tinysearch.training.recipe import RECIPES, Recipe, recipe


def test_the_documented_recipe_is_that_of_the_founding_document() -> None:
    documented = recipe("documented")
    assert (documented.optimizer, documented.learning_rate, documented.batch_size) == ("adam", 1e-3, 32)
    assert (documented.epochs, documented.input_scaling, documented.schedule) == (10, "unit", "constant")
    assert not documented.augments
    assert (documented.plateau_factor, documented.clip_norm) == (1, 0)


def test_the_default_recipe_is_one_cycle_of_ten_epochs() -> None:
    assert Recipe() == recipe("default")
    assert (Recipe().epochs, Recipe().schedule, Recipe().input_scaling) == (10, "one_cycle", "standardized")
    assert Recipe().augments


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_survives_json_and_knows_its_name_whatever_its_epochs(name: str) -> None:
    shorter = recipe(name, epochs=3)
    assert Recipe.from_dict(json.loads(json.dumps(shorter.to_dict()))) == shorter
    assert shorter.name == name


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("epochs", 0),
        ("epochs", 1.5),
        ("epochs", True),
        ("batch_size", 0),
        ("learning_rate", 0.0),
        ("plateau_factor", 0.5),
        ("clip_norm", -1.0),
        ("optimizer", "lion"),
        ("schedule", "step"),
        ("input_scaling", "raw"),
        ("rotation_degrees", -1.0),
        ("norm_momentum", 2.0),
        ("label_smoothing", 1.0),
        ("weight_decay", -0.1),
        ("ema_momentum", 1.0),
        ("zoom", 1.0),
        ("shear_degrees", -1.0),
        ("no_augment_final_epochs", 0.5),
    ],
)
def test_a_value_out_of_range_is_refused_by_name_and_value(field: str, value: object) -> None:
    with pytest.raises(RecipeError, match=field) as caught:
        Recipe.from_dict({field: value})
    assert repr(value) in str(caught.value)


def test_knobs_that_came_later_are_in_no_key_of_a_recipe_that_does_not_use_them() -> None:
    later: dict[str, Any] = {"label_smoothing": 0.1, "weight_decay": 1e-4, "ema_momentum": 0.99}
    later |= {"zoom": 0.1, "shear_degrees": 5.0, "no_augment_final_epochs": 2}
    assert not later.keys() & Recipe().to_dict().keys()
    changed = Recipe(**later)
    assert changed.to_dict().items() >= later.items()
    assert Recipe.from_dict(json.loads(json.dumps(changed.to_dict()))) == changed


def test_the_plateau_rule_needs_a_constant_rate() -> None:
    with pytest.raises(RecipeError, match="constant"):
        Recipe(plateau_factor=2.0)


def test_unknown_names_and_fields_list_the_known_ones() -> None:
    with pytest.raises(RecipeError, match="default, documented"):
        recipe("fast")
    with pytest.raises(RecipeError, match="learning_rate"):
        Recipe.from_dict({"lr": 0.1})
