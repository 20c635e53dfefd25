"""Augmentation of training images as a part of recipes: its fields, levels to choose from, and JSON files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from tinysearch.errors import RecipeError
from tinysearch.space.task import Task
from tinysearch.training.recipe import MOST_SHIFT, Recipe

# Fields of a recipe that change images.
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
# Fields that move or mirror pictures; not used for series, and scaled by the size of a network.
_OF_PICTURES = ("rotation_degrees", "shift_pixels", "zoom", "shear_degrees", "mirroring")
# Side in pixels of the images for which the shift of the default recipe was chosen.
_SIDE = 28
# Parameters, factor, name: for a network with fewer parameters, the amounts of a recipe for pictures are multiplied by
# this factor. Such a small network has no capacity for variations that the training images do not contain. Measured on
# MNIST, see docs/ablations.md.
SHARES_BY_SIZE = ((3_500, 0.0, "none"),)


def augmented(recipe: Recipe, amounts: Mapping[str, float]) -> Recipe:
    """Return a recipe with these amounts of augmentation; all other amounts are 0.

    Raises:
        RecipeError: if a name is not one of ``FIELDS``, or an amount is out of range.
    """
    unknown = sorted(set(amounts) - set(FIELDS))
    if unknown:
        raise RecipeError(f"an augmentation has no field {unknown[0]!r}; its fields are {', '.join(FIELDS)}")
    values = {**dict.fromkeys(FIELDS, 0.0), **amounts}
    return dataclasses.replace(recipe, **values)  # type: ignore[arg-type]


def same_but_augmentation(recipe: Recipe, other: Recipe) -> bool:
    """Return whether two recipes are equal except for augmentation and epochs."""
    return augmented(dataclasses.replace(recipe, epochs=other.epochs), {}) == augmented(other, {})


def suited(recipe: Recipe, task: Task) -> Recipe:
    """Return a recipe adapted to a task: for series, without rotation, shift, zoom, shear and mirroring."""
    if not task.is_series:
        return recipe
    return dataclasses.replace(recipe, **dict.fromkeys(_OF_PICTURES, 0.0))  # type: ignore[arg-type]


def by_size(recipe: Recipe, params: int) -> tuple[str, Recipe]:
    """Return a recipe with the augmentation for a network with ``params`` parameters, after its name.

    The name is empty if the recipe is unchanged.

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
    """Return the available augmentations by name, the weakest first.

    >>> list(levels(Task())), list(levels(Task((121, 1, 6), 8)))
    (['none', 'mild', 'mirrored'], ['none', 'jitter', 'shifted'])
    """
    if task.is_series:
        jitter = {"jitter": 0.05, "scaling": 0.1}
        shift = min(MOST_SHIFT, round(task.input_shape[0] / 20, 1))
        return {"none": {}, "jitter": jitter, "shifted": {**jitter, "shift_pixels": shift}}
    side = min(task.input_shape[:2])
    shift = min(MOST_SHIFT, max(1.0, round(side / _SIDE, 1)))
    mild = {"rotation_degrees": 7.0, "shift_pixels": shift}
    return {"none": {}, "mild": mild, "mirrored": {**mild, "mirroring": 0.5}}


def read_augmentation(path: Path) -> dict[str, float]:
    """Read the amounts of an augmentation from a JSON file, such as ``{"mirroring": 0.5, "shift_pixels": 3}``.

    Raises:
        RecipeError: if the file cannot be read or its content is invalid.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise RecipeError(
            f"the augmentation {path} cannot be read ({error.strerror}); it is auto, none, recipe or a JSON file"
        ) from None
    except (ValueError, RecursionError) as error:
        raise RecipeError(f"the augmentation {path} is not a JSON file: {error}") from None
    if not isinstance(found, dict):
        raise RecipeError(f"the augmentation {path} holds {type(found).__name__}; expected an object of amounts")
    augmented(Recipe(), found)
    return found
