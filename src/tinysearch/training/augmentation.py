"""How training images are changed at random, as the part of a recipe that it is: levels to choose from, and files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from tinysearch.errors import RecipeError
from tinysearch.space.task import Task
from tinysearch.training.recipe import Recipe

# The fields of a recipe that change images.
FIELDS = (
    "rotation_degrees",
    "shift_pixels",
    "zoom",
    "shear_degrees",
    "mirroring",
    "cutout",
    "brightness",
    "scaling",
    "jitter",
)
# Those that turn or slant pictures.
_OF_PICTURES = ("rotation_degrees", "shift_pixels", "zoom", "shear_degrees", "mirroring")
# The shift of the default recipe is for images of this side.
_SIDE = 28
# Below so many parameters pictures are turned and shifted by this share of what a recipe says: a network that small has
# no weights to spare for what the training images do not show. Measured on MNIST, see docs/ablations.md.
SHARES_BY_SIZE = ((3_500, 0.0, "none"),)


def augmented(recipe: Recipe, amounts: Mapping[str, float]) -> Recipe:
    """Return a recipe that changes images by these amounts, and by no others.

    Raises:
        RecipeError: if an amount is not one of ``FIELDS``, or out of range.
    """
    unknown = sorted(set(amounts) - set(FIELDS))
    if unknown:
        raise RecipeError(f"an augmentation has no {unknown[0]!r}; it has {', '.join(FIELDS)}")
    values = {**dict.fromkeys(FIELDS, 0.0), **amounts}
    return dataclasses.replace(recipe, **values)  # type: ignore[arg-type]


def same_but_augmentation(recipe: Recipe, other: Recipe) -> bool:
    """Whether two recipes differ in nothing but their augmentation and their epochs."""
    return augmented(dataclasses.replace(recipe, epochs=other.epochs), {}) == augmented(other, {})


def suited(recipe: Recipe, task: Task) -> Recipe:
    """Return a recipe as it is for a task: series are not turned, slanted or shifted as pictures are."""
    if not task.is_series:
        return recipe
    return dataclasses.replace(recipe, **dict.fromkeys(_OF_PICTURES, 0.0))  # type: ignore[arg-type]


def by_size(recipe: Recipe, params: int) -> tuple[str, Recipe]:
    """Return a recipe with the augmentation for a network of so many parameters, and what it is called.

    The name is empty where nothing is changed.

    >>> name, found = by_size(Recipe(), 2_000)
    >>> name, found.rotation_degrees, found.shift_pixels
    ('none', 0.0, 0.0)
    """
    for bound, share, name in SHARES_BY_SIZE:
        if params < bound and any(getattr(recipe, field) for field in _OF_PICTURES):
            return name, dataclasses.replace(
                recipe, **{field: share * getattr(recipe, field) for field in _OF_PICTURES}
            )
    return "", recipe


def levels(task: Task) -> dict[str, dict[str, float]]:
    """Return the augmentations to choose from by name, the weakest first.

    >>> list(levels(Task())), list(levels(Task((121, 1, 6), 8)))
    (['none', 'mild', 'mirrored'], ['none', 'jitter', 'shifted'])
    """
    if task.is_series:
        jitter = {"jitter": 0.05, "scaling": 0.1}
        return {"none": {}, "jitter": jitter, "shifted": {**jitter, "shift_pixels": round(task.input_shape[0] / 20, 1)}}
    side = min(task.input_shape[:2])
    mild = {"rotation_degrees": 7.0, "shift_pixels": max(1.0, round(side / _SIDE, 1))}
    return {"none": {}, "mild": mild, "mirrored": {**mild, "mirroring": 0.5}}


def read_augmentation(path: Path) -> dict[str, float]:
    """Read the amounts of an augmentation from a JSON file, ``{"mirroring": 0.5, "shift_pixels": 3}``.

    Raises:
        RecipeError: if it cannot be read, or holds something else.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(
            f"the augmentation {path} cannot be read ({error.strerror}); it is auto, none, recipe or a JSON file"
        ) from None
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"the augmentation {path} is no JSON file: {error}") from None
    if not isinstance(found, dict):
        raise RecipeError(f"the augmentation {path} holds {type(found).__name__}; expected an object of amounts")
    augmented(Recipe(), found)
    return found
