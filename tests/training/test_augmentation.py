from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tinysearch.errors import RecipeError
from tinysearch.space.task import Task
from tinysearch.training.augmentation import (
    FIELDS,
    SHARES_BY_SIZE,
    augmented,
    by_size,
    levels,
    read_augmentation,
    same_but_augmentation,
    suited,
)
from tinysearch.training.recipe import RECIPES, Recipe

TASKS = [Task(), Task((96, 96, 3), 2), Task((121, 1, 6), 8), Task((4_000, 1, 6), 8)]


@pytest.mark.parametrize("task", TASKS)
def test_the_weakest_level_is_none_and_each_is_legal(task: Task) -> None:
    found = levels(task)
    assert next(iter(found)) == "none"
    recipes = {name: augmented(Recipe(), amounts) for name, amounts in found.items()}
    assert not recipes["none"].augments
    assert all(one.augments for name, one in recipes.items() if name != "none")
    assert len(set(map(repr, recipes.values()))) == len(found)


def test_the_mild_level_of_mnist_is_that_of_the_default_recipe() -> None:
    assert augmented(Recipe(), levels(Task())["mild"]) == Recipe()


def test_series_are_neither_turned_nor_mirrored() -> None:
    for amounts in levels(TASKS[2]).values():
        assert not {"rotation_degrees", "mirroring", "shear_degrees", "zoom"} & set(amounts)
    assert not suited(Recipe(), TASKS[2]).augments
    assert suited(Recipe(), TASKS[0]) == Recipe()
    jitter = dataclasses.replace(Recipe(), jitter=0.1)
    assert suited(jitter, TASKS[2]).jitter == 0.1


def test_the_fields_are_all_that_change_images() -> None:
    plain = augmented(Recipe(), {})
    for name in FIELDS:
        assert dataclasses.replace(plain, **{name: 0.4}).augments
    assert not RECIPES["documented"].augments


def test_amounts_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps({"mirroring": 0.5, "shift_pixels": 3}))
    found = augmented(Recipe(), read_augmentation(tmp_path / "a.json"))
    assert (found.mirroring, found.shift_pixels, found.rotation_degrees) == (0.5, 3.0, 0.0)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (None, "auto, none, recipe or a JSON file"),
        ("{", "not a JSON file"),
        ("[]", "holds list"),
        ('{"mirror": 1}', "has no field 'mirror'; its fields are rotation_degrees"),
        ('{"mirroring": 2}', "mirroring must be a number from 0 to 1"),
    ],
)
def test_files_that_hold_no_augmentation_are_refused(tmp_path: Path, content: str | None, named: str) -> None:
    if content is not None:
        (tmp_path / "a.json").write_text(content)
    with pytest.raises(RecipeError) as caught:
        read_augmentation(tmp_path / "a.json")
    assert named in str(caught.value)


def test_the_smaller_the_network_the_less_it_is_augmented() -> None:
    found = [by_size(Recipe(), params) for params in (1, 1_000, 5_000, 100_000)]
    assert [one.rotation_degrees for _, one in found] == sorted(one.rotation_degrees for _, one in found)
    assert found[0] == ("none", augmented(Recipe(), {}))
    assert found[-1] == ("", Recipe())
    assert list(SHARES_BY_SIZE) == sorted(SHARES_BY_SIZE)


def test_what_is_not_augmented_is_left_as_it_is() -> None:
    plain = augmented(Recipe(), {})
    assert by_size(plain, 500) == ("", plain)
    noisy = augmented(Recipe(), {"jitter": 0.1})
    assert by_size(noisy, 500) == ("", noisy)


def test_recipes_that_differ_in_their_augmentation_alone_are_told() -> None:
    assert same_but_augmentation(augmented(Recipe(epochs=3), {"cutout": 0.2}), Recipe())
    assert not same_but_augmentation(Recipe(batch_size=64), Recipe())
