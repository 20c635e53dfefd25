"""Keyword settings of studies: name, type and meaning. Their defaults are those of ``RunSettings``."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from tinysearch.search.given import check_known
from tinysearch.search.settings import RunSettings

if TYPE_CHECKING:
    from tinysearch.results.objective import Objective
    from tinysearch.search.strategies.strategy import Strategy
    from tinysearch.space.architecture import Architecture
    from tinysearch.space.constraint import Constraint
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.training.candidate import Candidate
    from tinysearch.training.recipe import Recipe

T = TypeVar("T", bound=Callable[..., Any])


class FrontierSettings(TypedDict, total=False):
    """Settings of a search that do not depend on its budgets.

    Args:
        trials: Number of candidates to train, not counting baselines.
        epochs: Number of epochs of each training.
        strategy: Name of the search strategy, see ``docs/strategies.md``; or a class or ``"module:Class"`` of your own.
        seed: Seed of the proposals and of every training.
        recipe: How candidates are trained: ``"default"``, ``"documented"``, a ``Recipe``, its fields, or a JSON file.
        class_weight: ``"balanced"`` weights classes equally, regardless of their numbers of images.
        tune_recipe: Whether the recipe is searched together with the architecture.
        prune: Whether to stop candidates early that fall behind earlier ones.
        baselines: Whether to train the hand-designed baselines that fit the budget first.
        designs: Number of hand-designed networks to start the search with.
        initial_candidates: Your own architectures or candidates for the first trials.
        space: Restrictions of the search space: a mapping, a JSON file or a ``SearchSpace``, see ``docs/space.md``.
        constraints: Your own constraints on candidates: instances, classes or ``"module:Class"``.
        objective: Metric to optimize: ``"accuracy"``, ``"balanced_accuracy"``, ``"macro_f1"``, or one of your own.
        max_macs: Maximum number of multiply-accumulates per image, a number or a text such as ``"500k"``.
        max_ram: Maximum RAM of the int8 activations, in bytes or as a text such as ``"24K"``.
        max_flash: Maximum flash for weights and C code, in bytes or as a text.
        max_weight_bytes: Maximum size of the int8 weights, in bytes or as a text.
        device: Device whose flash and RAM are the limits, see ``docs/devices.md``.
        folds: Maximum number of folds that a leader is validated on; 1 for no revalidation.
        evaluate: Number of seeds to retrain the winner with, each scored on the test images; 0 for none.
        lag: Trial i is proposed from the results of trials 0 to i - lag, so that up to ``lag`` workers are busy.
        schedule: ``"lag"`` proposes the same candidates with any number of workers; ``"async"`` proposes from all
            results known at that time.
        threads: Threads of each training; None for an equal share of the cores.
    """

    trials: int
    epochs: int
    strategy: str | type[Strategy]
    seed: int
    recipe: str | Path | Mapping[str, Any] | Recipe
    class_weight: Literal["none", "balanced"]
    tune_recipe: bool
    prune: bool
    baselines: bool
    designs: int
    initial_candidates: Iterable[Architecture | Candidate | Mapping[str, Any]]
    space: str | Path | Mapping[str, Any] | SearchSpace
    constraints: str | Constraint | type[Constraint] | Iterable[str | Constraint | type[Constraint]]
    objective: str | Objective | type[Objective]
    max_macs: float | str | None
    max_ram: int | str | None
    max_flash: int | str | None
    max_weight_bytes: int | str | None
    device: str | None
    folds: int
    evaluate: int
    lag: int
    schedule: Literal["lag", "async"]
    threads: int | None


class Settings(FrontierSettings, total=False):
    """Settings of a study: those of ``FrontierSettings``, and some more.

    Args:
        budgets: Bounds on parameters; the search has a winner below each, and the largest is the budget.
        warm_start: Names of runs to learn from; None for all searches on the same data in the store.
        cold: Whether to start without learning from other runs.
    """

    budgets: Iterable[float | str]
    warm_start: str | Iterable[str] | None
    cold: bool


def check_names(given: Mapping[str, Any], taker: Callable[..., Any]) -> None:
    """Check that a function or a class takes the given settings.

    Raises:
        RunError: if a name is unknown.
    """
    check_known(given, (name for name in inspect.signature(taker).parameters if name != "self"))


def types(settings: type = Settings) -> dict[str, str]:
    """Return the type of each setting by name, as written in the source."""
    return {name: getattr(kind, "__forward_arg__", str(kind)) for name, kind in settings.__annotations__.items()}


def meanings() -> dict[str, str]:
    """Return the meaning of each setting by name; an empty dictionary if Python runs without docstrings (``-OO``)."""
    return {**described(FrontierSettings), **described(Settings)}


def described(target: object) -> dict[str, str]:
    """Return the meaning of each argument by name, from the docstring of a function or a class."""
    listed = inspect.cleandoc(target.__doc__ or "").partition("Args:\n")[2]
    found = re.findall(r"^    (\w+): (.+(?:\n        .+)*)", listed, re.MULTILINE)
    return {name: " ".join(text.split()) for name, text in found}


def defaults() -> dict[str, Any]:
    """Return the default of each setting by name, in a form that can be passed as an argument."""
    own = RunSettings()
    parts = {
        "recipe": own.recipe.name,
        "epochs": own.recipe.epochs,
        "class_weight": own.recipe.class_weight,
        "max_macs": own.budget.macs,
        "max_ram": own.budget.peak_activation_bytes,
        "max_flash": own.budget.flash_bytes,
        "max_weight_bytes": own.budget.int8_weight_bytes,
        "device": None,
        "warm_start": None,
        "cold": False,
    }
    return {name: parts[name] if name in parts else getattr(own, name) for name in types()}


def spelled_out(settings: type = Settings, **others: object) -> Callable[[T], T]:
    """Return a decorator that replaces ``**settings`` by the single settings in a signature and a docstring.

    Args:
        settings: Class of the settings.
        others: Defaults that differ from those of a study, by name.
    """

    def decorate(target: T) -> T:
        known, texts = {**defaults(), **others}, meanings()
        function: Any = target.__init__ if isinstance(target, type) else target  # type: ignore[misc]
        own = inspect.signature(function)
        named = [one for one in own.parameters.values() if one.kind is not inspect.Parameter.VAR_KEYWORD]
        added = [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=known[name], annotation=kind)
            for name, kind in types(settings).items()
        ]
        function.__signature__ = own.replace(parameters=[*named, *added])
        listed = [f"{one.name} ({one.annotation}, {one.default!r}): {texts.get(one.name, '')}" for one in added]
        lines = [textwrap.fill(one, 112, initial_indent=" " * 4, subsequent_indent=" " * 8) for one in listed]
        if target.__doc__:
            target.__doc__ = "\n".join([inspect.cleandoc(target.__doc__), "", "Settings (type, default):", *lines])
        return target

    return decorate
