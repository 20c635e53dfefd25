"""Neural architecture search under a parameter budget.

>>> import tinysearch
>>> tinysearch.Budget(10_000)
Budget(params=10000)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import tinysearch.executors as executors
    import tinysearch.keras_tuner as keras_tuner
    import tinysearch.testing as testing
    from tinysearch.api.calls import open_study as open  # noqa: A004
    from tinysearch.api.calls import run
    from tinysearch.api.frontiers import Frontier, frontier
    from tinysearch.api.result import Result
    from tinysearch.api.retraining import evaluate, reproduce
    from tinysearch.api.study import Study
    from tinysearch.data.readers.reader import Reading
    from tinysearch.errors import InputError, TinySearchError, TinySearchWarning, WorkError
    from tinysearch.results.callback import Callback
    from tinysearch.results.objective import Objective
    from tinysearch.space.architecture import Architecture
    from tinysearch.space.budget import Budget
    from tinysearch.space.cost import Cost, cost
    from tinysearch.space.keras_builder import build
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.space.task import Task
    from tinysearch.training.recipe import Recipe

__version__ = "0.2.0"

__all__ = [
    "Architecture",
    "Budget",
    "Callback",
    "Cost",
    "Frontier",
    "InputError",
    "Objective",
    "Reading",
    "Recipe",
    "Result",
    "SearchSpace",
    "Study",
    "Task",
    "TinySearchError",
    "TinySearchWarning",
    "WorkError",
    "build",
    "cost",
    "evaluate",
    "executors",
    "frontier",
    "keras_tuner",
    "open",
    "reproduce",
    "run",
    "testing",
]

# Public names are imported on first use, so that the command line starts fast: name -> module that defines it. Names
# that differ in that module are in _NAMES_THERE; public submodules are in _MODULES.
_LAZY = {
    "Architecture": "space.architecture",
    "Budget": "space.budget",
    "Callback": "results.callback",
    "Cost": "space.cost",
    "Frontier": "api.frontiers",
    "InputError": "errors",
    "Objective": "results.objective",
    "Reading": "data.readers.reader",
    "Recipe": "training.recipe",
    "Result": "api.result",
    "SearchSpace": "space.search_space",
    "Study": "api.study",
    "Task": "space.task",
    "TinySearchError": "errors",
    "TinySearchWarning": "errors",
    "WorkError": "errors",
    "build": "space.keras_builder",
    "cost": "space.cost",
    "evaluate": "api.retraining",
    "frontier": "api.frontiers",
    "open": "api.calls",
    "reproduce": "api.retraining",
    "run": "api.calls",
}
_MODULES = ("executors", "keras_tuner", "testing")
_NAMES_THERE = {"open": "open_study"}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"tinysearch.{name}")
    if name not in _LAZY:
        raise AttributeError(f"module 'tinysearch' has no attribute {name!r}")
    return getattr(import_module(f"tinysearch.{_LAZY[name]}"), _NAMES_THERE.get(name, name))


def __dir__() -> list[str]:
    return __all__
