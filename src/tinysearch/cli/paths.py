"""Paths on the command line."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

import typer

from tinysearch.errors import InputError
from tinysearch.runtime.paths import local


def path(given: str | PathLike[str]) -> Path:
    """Return a path with ``~`` expanded. A default value is a path already.

    Raises:
        typer.BadParameter: if it is a URL, or the home folder is unknown.
    """
    try:
        return local(given, "it")
    except InputError as error:
        raise typer.BadParameter(str(error)) from None
