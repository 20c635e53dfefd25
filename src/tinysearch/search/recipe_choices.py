"""The choices of the recipe that ``tune_recipe`` searches together with the architecture."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from tinysearch.space.choices import Group, draw, random_chooser
from tinysearch.space.leaves import Choice
from tinysearch.training.recipe import Recipe

# Options with prior weights that favour the default recipe.
KNOBS = {
    "learning_rate": Choice({0.03: 1, 0.05: 2, 0.1: 4, 0.2: 3, 0.3: 1}),
    "batch_size": Choice({16: 1, 32: 4, 64: 3}),
    "rotation_degrees": Choice({0.0: 0.5, 3.5: 2, 7.0: 4, 10.0: 1}),
    "shift_pixels": Choice({0.0: 0.5, 0.5: 1, 1.0: 4, 2.0: 1}),
    "zoom": Choice({0.0: 5, 0.1: 2}),
    "norm_momentum": Choice({0.9: 4, 0.99: 1}),
    "label_smoothing": Choice({0.0: 6, 0.02: 1, 0.05: 1, 0.1: 0.5}),
    "weight_decay": Choice({0.0: 5, 1e-4: 1, 5e-4: 1, 2e-3: 0.5}),
    "ema_momentum": Choice({0.0: 8, 0.99: 1, 0.999: 1}),
}


def sampled(base: Recipe, rng: np.random.Generator) -> Recipe:
    """Return a recipe with knobs drawn from their prior; all other fields are those of ``base``."""
    return dataclasses.replace(base, **draw(Group(KNOBS), random_chooser(rng)))


def mutated(recipe: Recipe, rng: np.random.Generator) -> Recipe:
    """Return a recipe that differs in one knob."""
    names = list(KNOBS)
    name = names[rng.integers(len(names))]
    others = [option for option in KNOBS[name].options if option != getattr(recipe, name)]
    return dataclasses.replace(recipe, **{name: others[rng.integers(len(others))]})


def recipe_features(recipe: Recipe) -> list[float]:
    """Return a recipe as numerical features for surrogate models: the knobs first, then the other fields."""
    return [
        math.log(recipe.learning_rate),
        math.log(recipe.batch_size),
        recipe.rotation_degrees,
        recipe.shift_pixels,
        recipe.zoom,
        math.log(1.001 - recipe.norm_momentum),
        recipe.label_smoothing,
        math.log(1e-5 + recipe.weight_decay),
        math.log(1.0001 - recipe.ema_momentum),
        math.log(recipe.epochs),
        recipe.no_augment_final_epochs / recipe.epochs,
        recipe.optimizer == "adam",
        recipe.schedule == "constant",
        math.log(recipe.plateau_factor),
        math.log(0.01 + recipe.clip_norm),
        recipe.input_scaling == "unit",
        recipe.shear_degrees,
        recipe.mirroring,
        recipe.cutout,
        recipe.brightness,
        recipe.scaling,
        recipe.jitter,
        recipe.class_weight == "balanced",
    ]
