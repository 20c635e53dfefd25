"""Whole numbers on the command line, refused by name and value."""

from __future__ import annotations

import re

import typer


def whole(given: str | int) -> int:
    """Return a whole number; underscores may set thousands apart. A default comes as the number that it is.

    Raises:
        typer.BadParameter: if the text is no whole number.

    >>> whole("10000"), whole("10_000"), whole(7)
    (10000, 10000, 7)
    """
    text = str(given).strip()
    if not re.fullmatch(r"[+-]?\d+(_\d+)*", text):
        raise typer.BadParameter(f"{text!r} is not a whole number")
    return int(text)


def natural(given: str | int) -> int:
    """Return a whole number of at least 0.

    Raises:
        typer.BadParameter: if the text is none.
    """
    number = whole(given)
    if number < 0:
        raise typer.BadParameter(f"{number} is below 0; a whole number of at least 0 is needed")
    return number


def positive(given: str | int) -> int:
    """Return a whole number of at least 1.

    Raises:
        typer.BadParameter: if the text is none.
    """
    number = whole(given)
    if number < 1:
        raise typer.BadParameter(f"{number} is below 1; a whole number of at least 1 is needed")
    return number
