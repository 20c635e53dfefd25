"""Plug-ins: user-defined extensions, given as a value, as ``module:Class``, as a file, or by an entry point.

A distribution registers a plug-in by an entry point in the group ``tinysearch.strategies``, ``tinysearch.constraints``,
``tinysearch.objectives``, ``tinysearch.executors``, ``tinysearch.callbacks``, ``tinysearch.readers`` or
``tinysearch.renderers``. The name of the entry point is the name of the plug-in.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

from tinysearch.errors import PluginError, meant
from tinysearch.runtime.paths import local

KINDS = ("strategy", "constraint", "objective", "executor", "callback", "reader", "renderer")
_GROUPS = {kind: f"tinysearch.{kind[:-1]}ies" if kind.endswith("y") else f"tinysearch.{kind}s" for kind in KINDS}


def find(kind: str, name: str, known: Iterable[str] = ()) -> Any:
    """Return a plug-in by its name: a class, a function or a value.

    Args:
        kind: One of ``KINDS``.
        name: ``module:Class``, where the module may be a file in the working directory; ``path/to/file.py:Class``; or
            the name of an entry point.
        known: Built-in names, to list in the error.

    Raises:
        PluginError: if the plug-in does not exist or cannot be loaded.
    """
    where, _, attribute = name.rpartition(":")
    if where:
        module = _module(kind, name, where)
        found: Any = module
        for part in attribute.split("."):
            found = getattr(found, part, None)
        if found is None:
            raise PluginError(f"the {kind} {name!r} cannot be used: {where} has no {attribute!r}")
        return found
    entry = _entries(kind).get(name)
    if entry is None:
        there = names(kind, known)
        raise PluginError(f"{_a(kind)} is one of {', '.join(there)} or module:Class; got {name!r}{meant(name, there)}")
    try:
        return entry.load()
    except Exception as error:
        raise PluginError(f"the {kind} {name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def names(kind: str, known: Iterable[str] = ()) -> list[str]:
    """Return the names of a kind: the known ones, then those of entry points."""
    return [*known, *sorted(_entries(kind).keys() - set(known))]


def name_of(plugin: object) -> str:
    """Return the name of a plug-in that was given as a value: its class or function as ``module:Class``."""
    made_of = plugin if isinstance(plugin, type) or hasattr(plugin, "__qualname__") else type(plugin)
    return f"{made_of.__module__}:{made_of.__qualname__}"


def made(kind: str, plugin: Any, base: type, *arguments: Any, **options: Any) -> Any:
    """Return an instance of a plug-in: the plug-in itself if it is one, otherwise the result of its class or function.

    Args:
        kind: Kind of the plug-in, for the error.
        plugin: An instance, a class or a function.
        base: Required class of the instance.
        *arguments, **options: Arguments for the class or function.

    Raises:
        PluginError: if the call fails, or its result is not an instance of ``base``.
    """
    found = plugin
    if isinstance(plugin, type) and not issubclass(plugin, base):
        raise PluginError(
            f"the {kind} {name_of(plugin)} is not a subclass of {base.__name__}; derive it from that class"
        )
    if not isinstance(plugin, base):
        if not callable(plugin):
            raise PluginError(
                f"{_a(kind)} has to be a {base.__name__}, or a class or function that returns one; got {plugin!r}"
            )
        try:
            found = plugin(*arguments, **options)
        except Exception as error:
            raise PluginError(
                f"the {kind} {name_of(plugin)} cannot be created: {type(error).__name__}: {error}"
            ) from error
    if not isinstance(found, base):
        raise PluginError(f"the {kind} {name_of(plugin)} is not an instance of {base.__name__} but {found!r}")
    return found


def returns(method: str, wanted: type, got: object) -> str:
    """Return an error message for a method of a plug-in that returned a value of the wrong type."""
    return f"{method} returns a {wanted.__name__}, got {got!r}"


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


@functools.cache
def _entries(kind: str) -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=_GROUPS[kind])}


def _module(kind: str, name: str, where: str) -> ModuleType:
    try:
        if where.endswith(".py"):
            return _of_file(local(where, _a(kind)))
        try:
            return importlib.import_module(where)
        except ModuleNotFoundError as error:
            here = Path(*where.split(".")).with_suffix(".py")
            if error.name != where.split(".")[0] or not here.is_file():
                raise
            # Python puts the folder of the program on the import path, not the working directory.
            return _of_file(here)
    except Exception as error:
        raise PluginError(f"the {kind} {name!r} cannot be loaded: {type(error).__name__}: {error}") from error


def _of_file(path: Path) -> ModuleType:
    """Load a file once as a module with the name of the file."""
    full = path.resolve()
    if not full.is_file():
        raise FileNotFoundError(f"there is no file {path}")
    # If another module has this name, add a hash of the path, which is the same in all processes.
    marked = f"{full.stem}_{sha256(str(full).encode()).hexdigest()[:12]}"
    for key in (full.stem, marked):
        if getattr(sys.modules.get(key), "__file__", None) == str(full):
            return sys.modules[key]
    key = marked if full.stem in sys.modules else full.stem
    spec = importlib.util.spec_from_file_location(key, full)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and pickle look up classes there.
    sys.modules[key] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[key]
        raise
    return module
