"""Parsers for numbers, durations and sizes as people write them; errors quote the invalid value."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import typer

from tinysearch.errors import InputError
from tinysearch.space.sizes import WAYS, count, size

# Ten years: no system clock fails on less.
_LONGEST = 10 * 365 * 86_400.0
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def whole(given: str | int) -> int:
    """Return a whole number. A default value is a number already.

    Raises:
        typer.BadParameter: if the text is not a whole number.

    >>> whole("10k"), whole(7)
    (10000, 7)
    """
    number = count(given)
    if number is None:
        raise typer.BadParameter(f"{str(given).strip()!r} is not a whole number; {WAYS}")
    return number


def natural(given: str | int) -> int:
    """Return a whole number of at least 0.

    Raises:
        typer.BadParameter: if the text is not such a number.
    """
    number = whole(given)
    if number < 0:
        raise typer.BadParameter(f"{number} is below 0; a whole number of at least 0 is needed")
    return number


def positive(given: str | int) -> int:
    """Return a whole number of at least 1.

    Raises:
        typer.BadParameter: if the text is not such a number.
    """
    number = whole(given)
    if number < 1:
        raise typer.BadParameter(f"{number} is below 1; a whole number of at least 1 is needed")
    return number


def several(text: str) -> list[int]:
    """Return the whole numbers of a list, separated by commas, spaces or semicolons.

    Raises:
        InputError: if an item is not a whole number, or the commas may also separate thousands.

    >>> several("1000,3000"), several("1k,3k"), several("1,000 3,000"), several("1,000; 3,000")
    ([1000, 3000], [1000, 3000], [1000, 3000], [1000, 3000])
    """
    parts = re.split(r"[\s;]+", re.sub(r",(?=[\s;]|$)", " ", text).strip("; "))
    if len(parts) == 1:
        parts = text.split(",")
        if _may_be_thousands(parts):
            raise InputError(
                f"{text!r} can be read in two ways: leave out the commas within numbers, as in 1000,3000 or 1k,3k, or "
                f"separate the numbers by spaces or semicolons, as in '1,000 3,000'"
            )
    try:
        return [whole(part) for part in parts]
    except typer.BadParameter as error:
        raise InputError(f"in the list {text!r}, {error.message}") from None


def _may_be_thousands(parts: Sequence[str]) -> bool:
    """Whether the commas of a list look like thousands separators: 1,000,3,000 or 1,500,3,200, but not 100,500,900."""
    return any(
        re.fullmatch(r"\d{1,3}", before) is not None
        and re.fullmatch(r"\d{3}", part) is not None
        and (part[0] == "0" or len(before) == 1 or int(part) <= int(before))
        for before, part in itertools.pairwise(parts)
    )


def seconds(text: str) -> float:
    """Return a duration in seconds.

    Raises:
        InputError: if the text is not a positive number with one of the units s, m and h.

    >>> seconds("90s"), seconds("30m"), seconds("1.5h")
    (90.0, 1800.0, 5400.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if match is None or float(match[1]) == 0:
        raise InputError(f"a duration is a number with s, m or h, as in 90s, 30m or 2h; got {text!r}")
    return min(float(match[1]) * _SECONDS[match[2]], _LONGEST)


def size_or_bytes(given: str | int) -> int:
    """Return a size of memory in bytes; a number without a unit is in bytes.

    Raises:
        typer.BadParameter: if the text is not a size.

    >>> size_or_bytes("17,000"), size_or_bytes("16K")
    (17000, 16384)
    """
    try:
        return size(str(given)) if re.search(r"[kmgb]", str(given), re.IGNORECASE) else whole(given)
    except InputError as error:
        raise typer.BadParameter(str(error)) from None
