"""Strategies of other packages, named by a class of theirs: what their names have in common."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from tinysearch.errors import RunError, meant


def is_path(name: str) -> bool:
    """Whether a name is like ``package.Class``."""
    return "." in name and all(part.isidentifier() for part in name.split("."))


def check_class_name(name: str, prefix: str, known: Iterable[str], what: str, example: str) -> None:
    """Refuse a name that no class can have; whether one of one's own exists is not looked at.

    Args:
        name: The whole name, prefix included.
        prefix: What it begins with, ``"optuna:"`` for example.
        known: The names behind the prefix that stand for classes of the package itself.
        what: What it names, in words, for the error.
        example: A class of one's own, for the error.

    Raises:
        RunError: if what is behind the prefix is neither known nor like ``package.Class``.
    """
    path = name.removeprefix(prefix)
    if path not in known and not is_path(path):
        names = [prefix + one for one in known]
        raise RunError(f"{what} is one of {', '.join(names)} or {prefix}{example}; got {name!r}{meant(name, names)}")


def class_at(path: str, base: type[Any], base_name: str, strategy: str, what: str) -> type[Any]:
    """Import a class.

    Args:
        path: ``package.Class``.
        base: What it must be derived from.
        base_name: How its package documents that, for the error.
        strategy: Name of the strategy, for the error.
        what: What the class is, in a word, for the error.

    Raises:
        RunError: if there is no such class, or it is derived from something else.
    """
    module, _, attribute = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RunError(f"the {what} of strategy {strategy!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise RunError(f"strategy {strategy!r} must name a subclass of {base_name}, got {found!r}")
    return found
