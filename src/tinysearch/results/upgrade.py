"""Renaming of fields and values that stored results of earlier versions have.

Stores are rewritten when they are opened, see ``schema.py``; archives are read through ``run`` and ``record``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Earlier and current names of recipe fields.
RECIPE = {
    "inputs": "input_scaling",
    "average_decay": "ema_momentum",
    "plain_epochs": "no_augment_final_epochs",
}
_SETTINGS = {
    "confirm": "folds",
    "starts": "initial_candidates",
    "lessons": "warm_start_trials",
    # In earlier versions the lag was the number of workers.
    "workers": "lag",
}
_RECORD = {"taken_from": "reused_from"}
_PURPOSES = {"confirmation": "revalidation"}


def recipe(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recipe, plain JSON values, with the current names of its fields."""
    return _renamed(data, RECIPE)


def settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run, plain JSON values, with their current names."""
    new = _renamed(data, _SETTINGS)
    if isinstance(new.get("recipe"), Mapping):
        new["recipe"] = recipe(new["recipe"])
    if "initial_candidates" in new:
        new["initial_candidates"] = [
            {**one, "recipe": recipe(one["recipe"])} if "recipe" in one else one for one in new["initial_candidates"]
        ]
    return new


def purpose(name: str) -> str:
    """Return the current name of the purpose of a training."""
    return _PURPOSES.get(name, name)


def run(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run of an archive, plain JSON values, with current names."""
    return {**data, "settings": settings(data["settings"])}


def record(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record of an archive, plain JSON values, with current names."""
    new = _renamed(data, _RECORD)
    return {**new, "purpose": purpose(new["purpose"]), "recipe": recipe(new["recipe"])}


def _renamed(data: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in data.items()}
