"""Class names of strategies from other packages: validation and import."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any

from tinysearch.errors import RunError, meant


def is_path(name: str) -> bool:
    """Return whether a name has the form ``package.Class``."""
    return "." in name and all(part.isidentifier() for part in name.split("."))


def check_class_name(name: str, prefix: str, known: Iterable[str], what: str, example: str) -> None:
    """Raise an error if a name can be no class; whether a user's class exists is not checked.

    Args:
        name: The full name, prefix included.
        prefix: The prefix of the name, such as ``"optuna:"``.
        known: Names after the prefix that stand for classes of the package itself.
        what: A description of the named class, for the error.
        example: An example of a user's class, for the error.

    Raises:
        RunError: if the name after the prefix is neither known nor of the form ``package.Class``.
    """
    path = name.removeprefix(prefix)
    if path not in known and not is_path(path):
        names = [prefix + one for one in known]
        raise RunError(f"{what} is one of {', '.join(names)} or {prefix}{example}; got {name!r}{meant(name, names)}")


def class_at(path: str, base: type[Any], base_name: str, strategy: str, what: str) -> type[Any]:
    """Import a class.

    Args:
        path: The class, ``package.Class``.
        base: The required base class.
        base_name: The documented name of the base class, for the error.
        strategy: Name of the strategy, for the error.
        what: The kind of the class in a word, for the error.

    Raises:
        RunError: if the class cannot be imported or is not derived from the base class.
    """
    module, _, attribute = path.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise RunError(f"the {what} of strategy {strategy!r} cannot be imported: {error}") from error
    if not (isinstance(found, type) and issubclass(found, base)):
        raise RunError(f"strategy {strategy!r} must name a subclass of {base_name}, got {found!r}")
    return found
