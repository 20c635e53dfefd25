from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
from fractions import Fraction
from typing import Any

import numpy as np
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


NUMBERS = [field.name for field in dataclasses.fields(Recipe) if not isinstance(field.default, str)]


@pytest.mark.parametrize("name", NUMBERS)
def test_equal_numbers_make_equal_recipes_that_are_written_alike(name: str) -> None:
    made = []
    for value in (0, 0.0, -0.0, 1, 1.0, True, np.int64(1), np.uint8(1), np.float32(1.0), np.float64(1.0), Fraction(1)):
        with contextlib.suppress(RecipeError):
            made.append(Recipe(schedule="constant", **{name: value}))
    assert made
    assert {type(getattr(one, name)) for one in made} == {type(getattr(Recipe(), name))}
    for one, other in itertools.combinations(made, 2):
        assert (one == other) == (json.dumps(one.to_dict()) == json.dumps(other.to_dict()))
        assert one != other or hash(one) == hash(other)


def test_a_rotation_of_seven_degrees_is_that_of_the_default() -> None:
    assert Recipe(rotation_degrees=7) == Recipe()
    assert json.dumps(Recipe(rotation_degrees=7).to_dict()) == json.dumps(Recipe().to_dict())


@pytest.mark.parametrize("name", ["epochs", "batch_size"])
@pytest.mark.parametrize("value", [True, np.bool_(True), 2.0, np.float32(2.0), "2", [2], None])
def test_what_is_counted_is_a_whole_number(name: str, value: Any) -> None:
    with pytest.raises(RecipeError, match=f"{name} must be a whole number"):
        Recipe(**{name: value})


def test_texts_are_kept_as_plain_ones() -> None:
    made = Recipe(optimizer=np.str_("adam"), schedule=np.str_("constant"))  # type: ignore[arg-type]
    assert {type(made.optimizer), type(made.schedule)} == {str}


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
