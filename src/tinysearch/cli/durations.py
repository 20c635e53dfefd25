"""Durations as people write them."""

from __future__ import annotations

import re

from tinysearch.errors import InputError

# Ten years: no clock of the system goes astray on less.
_LONGEST = 10 * 365 * 86_400.0
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(text: str) -> float:
    """Return a duration in seconds.

    Raises:
        InputError: if the text is no positive number with one of the units s, m and h.

    >>> seconds("90s"), seconds("30m"), seconds("1.5h")
    (90.0, 1800.0, 5400.0)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text.strip())
    if match is None or float(match[1]) == 0:
        raise InputError(f"a duration is a number with s, m or h, as in 90s, 30m or 2h; got {text!r}")
    return min(float(match[1]) * _UNITS[match[2]], _LONGEST)
