"""Conversion of the arguments of a study (names, numbers, values, files) to settings, with hints on misspelt names."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tinysearch.errors import BudgetError, InputError, RecipeError, RunError, check_type, meant
from tinysearch.results.objective import objective_name
from tinysearch.results.store import Store
from tinysearch.runtime.paths import local
from tinysearch.runtime.plugins import name_of
from tinysearch.search.plugins import Plugins, constraint_name
from tinysearch.search.settings import RunSettings
from tinysearch.search.warm_start import extents, named
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.devices import device, limits
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.sizes import count, size
from tinysearch.space.space_file import read_spec
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import RECIPES, Recipe
from tinysearch.training.recipe import recipe as named_recipe

# Arguments besides the fields of RunSettings: parts of the budget and the recipe, and runs to learn from.
LIMITS = {
    "max_macs": "macs",
    "max_weight_bytes": "int8_weight_bytes",
    "max_flash": "flash_bytes",
    "max_ram": "peak_activation_bytes",
}
_OTHERS = (*LIMITS, "device", "epochs", "class_weight", "warm_start", "cold")
# Arguments whose default is None, so that None is the same as leaving them out.
_MAY_BE_NONE = (*LIMITS, "device", "threads", "warm_start")
# Minimum similarity of an unknown name to a setting to suggest it: a wrong hint is worse than none.
_ALIKE = 0.75
_NOT_GIVEN = ("warm_start_trials", "own_space", "data", "augmentation")


def known_settings() -> list[str]:
    """Return the names of all settings that a user can give."""
    fields = [one.name for one in dataclasses.fields(RunSettings) if one.name not in _NOT_GIVEN]
    return sorted([*fields, *_OTHERS])


def check_known(given: Iterable[str], known: Iterable[str]) -> None:
    """Raise an error if a setting is unknown.

    Args:
        given: Names of the settings to check.
        known: Names of all settings.

    Raises:
        RunError: if a name is unknown.
    """
    names = sorted(known)
    for name in given:
        if name not in names:
            raise RunError(f"a setting is one of {', '.join(names)}; got {name!r}{meant(name, names, _ALIKE)}")


def settings_of(given: Mapping[str, Any], before: RunSettings | None, store: Store) -> RunSettings:
    """Return settings from arguments; those not given have their default, or in a resumed run their earlier value.

    Args:
        given: Values by name, see ``known_settings``: fields of ``RunSettings``, where a budget may be a number, a
            recipe a name, a mapping or the path of a JSON file, a space a mapping, the path of a file or a
            ``SearchSpace``, and initial candidates architectures; ``epochs``; ``class_weight``; ``max_macs``;
            ``max_ram``, ``max_flash`` and ``max_weight_bytes``, as bytes or texts such as ``"24K"``; ``device``, whose
            flash and memory are the limits if none are given; ``warm_start``, names of runs; ``cold``, to learn from
            no run. None for a limit, ``device``, ``threads`` or ``warm_start`` is the same as leaving it out.
        before: The settings of the resumed run; None for a new run.
        store: Store with the runs to learn from.

    Raises:
        RunError: if a name is unknown.
        InputError: if a value cannot be used.
    """
    check_known(given, known_settings())
    given = {name: value for name, value in given.items() if value is not None or name not in _MAY_BE_NONE}
    base = before or RunSettings()
    changes: dict[str, Any] = {name: value for name, value in given.items() if name not in _OTHERS}
    changes["budget"] = _bounded(given, base.budget, begun=before is not None)
    how = recipe_of(given["recipe"], base.recipe.epochs) if "recipe" in given else base.recipe
    parts = {name: given[name] for name in ("epochs", "class_weight") if name in given}
    changes["recipe"] = dataclasses.replace(how, **parts)
    if "space" in given:
        changes["space"], changes["own_space"] = space_of(given["space"])
    if "initial_candidates" in given:
        listed = given["initial_candidates"]
        check_type("initial_candidates", listed, Iterable, "a list of architectures or candidates")
        changes["initial_candidates"] = tuple(_candidate(one, changes["recipe"]) for one in listed)
    if not learns_unasked(given):
        names = named(given.get("warm_start"))
        # A resumed run learns from the records that these runs had when it began.
        if before is None or [one.run for one in before.warm_start_trials] != names:
            changes["warm_start_trials"] = extents(store, names)
    return dataclasses.replace(base, **changes)


def _bounded(given: Mapping[str, Any], base: Budget, *, begun: bool) -> Budget:
    """Return the budget from arguments, with the limits that are given separately."""
    budget = Budget.of(given.get("budget", base))
    if begun and not isinstance(given.get("budget", base), Budget):
        budget = dataclasses.replace(base, params=budget.params)
    bounds = {name: _bound(name, given[name]) for name in LIMITS if name in given}
    if "device" in given:
        budget = dataclasses.replace(budget, device=device(given["device"]).name)
        if begun and base.device == budget.device:
            # An earlier version may have left more of the device to a network when the run began.
            bounds = {name: getattr(base, LIMITS[name]) for name in ("max_flash", "max_ram")} | bounds
        bounds |= limits(given["device"], bounds.get("max_flash"), bounds.get("max_ram"))
    if "budget" not in given and not begun and "max_flash" in bounds:
        # A parameter takes at least one byte of flash, so the bound on flash is used for both.
        budget = Budget(bounds["max_flash"], device=budget.device)
    limited = {LIMITS[name]: bound for name, bound in bounds.items()}
    bounded = dataclasses.replace(budget, **limited)
    # A run begun when the flash of all devices was predicted for a Cortex-M keeps that prediction.
    as_begun = dataclasses.replace(bounded, processor=base.processor, device=base.device)
    return as_begun if begun and as_begun == base else bounded


def _bound(name: str, given: object) -> Any:
    """Return a limit as a number; limits on memory may be texts such as ``"24K"``."""
    if not isinstance(given, str) and ((whole := count(given)) is None or whole < 1):
        unit = "multiply-accumulates" if name == "max_macs" else "bytes"
        raise BudgetError(f"`{name}=` is a whole number of {unit}, at least 1; got {given!r}")
    if name == "max_macs" or not isinstance(given, str):
        return given
    try:
        return size(given)
    except InputError as error:
        raise BudgetError(f"{name}: {error}") from None


def plugins_of(given: Mapping[str, Any]) -> tuple[dict[str, Any], Plugins]:
    """Return settings with strategies, objectives and constraints replaced by their names, and the plugins as given.

    Args:
        given: See ``settings_of``; a strategy and an objective may be classes, constraints classes and instances.

    Raises:
        InputError: if the strategy is None, or the objective cannot be used.
    """
    plain = dict(given)
    if plain.get("strategy", "") is None:
        raise InputError("`strategy=` is a name or a Strategy, got None")
    own: Any = None
    if "strategy" in plain and not isinstance(plain["strategy"], str):
        own, plain["strategy"] = plain["strategy"], name_of(plain["strategy"])
    if "objective" in plain and not isinstance(plain["objective"], str):
        plain["objective"] = objective_name(plain["objective"])
    constraints: list[tuple[str, Any]] = []
    if "constraints" in plain:
        listed = plain["constraints"]
        listed = [listed] if isinstance(listed, (str, type)) or not isinstance(listed, Iterable) else list(listed)
        constraints = [(constraint_name(one), one) for one in listed if not isinstance(one, str)]
        plain["constraints"] = tuple(one if isinstance(one, str) else constraint_name(one) for one in listed)
    return plain, Plugins(own, tuple(constraints))


def recipe_of(given: object, epochs: int | None = None) -> Recipe:
    """Return a recipe from its name, a mapping or the path of a JSON file.

    Args:
        given: Any of these, or a recipe, which is returned as it is.
        epochs: Number of epochs of a recipe given by name; None for its default.

    Raises:
        RecipeError: if the recipe is unknown or invalid.
    """
    if isinstance(given, Recipe):
        return given
    if isinstance(given, Mapping):
        return Recipe.from_dict(given)
    if isinstance(given, str) and given in RECIPES:
        return named_recipe(given, epochs=epochs)
    if not isinstance(given, (str, Path)) or not str(given).endswith(".json"):
        raise RecipeError(
            f"a recipe is one of {', '.join(RECIPES)} or a .json file, got {str(given)!r}{meant(given, RECIPES)}"
        )
    path = local(given, "a recipe")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise RecipeError(f"the recipe {path} cannot be read: {error.strerror or error}") from None
    except ValueError as error:
        raise RecipeError(f"the recipe {path} is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise RecipeError(f"the recipe {path} is a JSON {type(found).__name__}; expected an object with its fields")
    try:
        return Recipe.from_dict(found)
    except RecipeError as error:
        raise RecipeError(f"the recipe {path} cannot be used: {error}") from None


def space_of(given: object) -> tuple[Mapping[str, Any], str]:
    """Return the ``space`` and ``own_space`` settings for a space; see ``RunSettings``.

    Raises:
        SpaceError: if the file of a space cannot be read.
    """
    if isinstance(given, SearchSpace):
        return {}, hashlib.sha256(repr(given.rows()).encode()).hexdigest()[:16]
    if isinstance(given, (str, Path)):
        return read_spec(local(given, "a space")), ""
    spec = {} if given is None else given
    check_type("space", spec, Mapping, "a SearchSpace, a mapping, or the path of a JSON file")
    return spec, ""  # type: ignore[return-value]


def search_space_of(given: object, task: Task, params: int | None = None) -> SearchSpace:
    """Return the search space of a setting, for a task, with priors that lean towards a budget of parameters.

    Raises:
        SpaceError: if it is invalid.
    """
    if isinstance(given, SearchSpace):
        return given if given.task == task else SearchSpace(task, given.tree)
    return SearchSpace(task, tree_of(space_of(given)[0], params, task))


def _candidate(given: object, how: Recipe) -> Candidate:
    if isinstance(given, Candidate):
        return given
    if isinstance(given, Architecture):
        return Candidate(given, how)
    if isinstance(given, Mapping):
        return Candidate(Architecture.from_dict(given), how)
    raise RunError(f"an initial candidate is an architecture or a candidate, got {given!r}")


def learns_unasked(given: Mapping[str, Any]) -> bool:
    """Return whether neither ``warm_start`` nor ``cold`` is given, so that a run learns from all runs on its data.

    Raises:
        RunError: if both are given, or ``cold`` is not a boolean.
    """
    cold = given.get("cold", False)
    if not isinstance(cold, bool):
        raise RunError(f"`cold=` is True or False, got {cold!r}")
    if cold and given.get("warm_start"):
        raise RunError(
            f"`cold=True` and `warm_start=` exclude each other, got {given['warm_start']!r}: a cold run does not learn "
            f"from other runs; leave out `cold=` to learn only from those given, or leave out `warm_start=`"
        )
    return not cold and given.get("warm_start") is None
