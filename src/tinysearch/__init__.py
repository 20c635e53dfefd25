"""Neural architecture search under a parameter budget.

>>> import tinysearch
>>> tinysearch.Budget(10_000)
Budget(params=10000, macs=None, peak_activation_bytes=None, int8_weight_bytes=None, flash_bytes=None, ram_bytes=None)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tinysearch.api import Result, SearchResult, run

if TYPE_CHECKING:
    from tinysearch.errors import TinySearchError
    from tinysearch.space.architecture import Architecture
    from tinysearch.space.budget import Budget
    from tinysearch.space.cost import Cost, cost
    from tinysearch.space.keras_builder import build
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.space.task import Task
    from tinysearch.training.recipe import Recipe

__version__ = "0.1.0"

__all__ = [
    "Architecture",
    "Budget",
    "Cost",
    "Recipe",
    "Result",
    "SearchResult",
    "SearchSpace",
    "Task",
    "TinySearchError",
    "build",
    "cost",
    "run",
]

# The command line answers in a moment because of what is imported only when it is first asked for.
_LAZY = {
    "Architecture": "tinysearch.space.architecture",
    "Budget": "tinysearch.space.budget",
    "Cost": "tinysearch.space.cost",
    "Recipe": "tinysearch.training.recipe",
    "SearchSpace": "tinysearch.space.search_space",
    "Task": "tinysearch.space.task",
    "TinySearchError": "tinysearch.errors",
    "build": "tinysearch.space.keras_builder",
    "cost": "tinysearch.space.cost",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module 'tinysearch' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LAZY[name]), name)


def __dir__() -> list[str]:
    return __all__
