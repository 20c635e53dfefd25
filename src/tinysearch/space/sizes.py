"""Parsing of whole numbers and memory sizes as people write them."""

from __future__ import annotations

import re
from decimal import Decimal

from tinysearch.errors import InputError
from tinysearch.space.scalars import integer, real

# A decimal point needs a multiplier or an exponent after it: 10.000 is ten thousand to some and ten to others.
_WHOLE = re.compile(r"([+-]?)(?:(\d+(?:_\d+)*|\d{1,3}(?:,\d{3})+)(\.\d+(?=[kme]))?)(k|m|e\d{1,2})?", re.IGNORECASE)
_THOUSANDS = {"": "", "k": "e3", "m": "e6"}
WAYS = "write it as in 10000, 10_000, 10,000 or 10k"
_BYTES = {"K": 2**10, "M": 2**20, "G": 2**30}


def count(given: object) -> int | None:
    """Return a whole number in any common notation as an ``int``; None for booleans and everything else.

    Underscores or commas may separate thousands; ``k`` and ``M`` at the end stand for thousands and millions.

    >>> count("10_000"), count("10,000"), count("10k"), count("1.5M"), count("1e4"), count(1e4), count(7)
    (10000, 10000, 10000, 1500000, 10000, 10000, 7)
    >>> count("ten"), count(0.5), count(float("nan")), count(True)
    (None, None, None, None)
    """
    if not isinstance(given, str):
        number = integer(given)
        point = None if number is not None else real(given)
        return int(point) if point is not None and point.is_integer() else number
    match = _WHOLE.fullmatch(given.strip())
    if match is None:
        return None
    sign, digits, fraction, unit = (part or "" for part in match.groups())
    read = Decimal(sign + digits.replace("_", "").replace(",", "") + fraction + _THOUSANDS.get(unit.lower(), unit))
    return int(read) if read == read.to_integral_value() else None


def size(text: str) -> int:
    """Return a memory size in bytes; K, M and G are powers of 1,024.

    Raises:
        InputError: if the text is not a positive number with one of the units K, M and G.

    >>> size("500M"), size("1.5G")
    (524288000, 1610612736)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG])(?:I?B)?", text.strip().upper())
    if match is None or float(match[1]) * _BYTES[match[2]] < 1:
        raise InputError(f"a size of memory is a number with K, M or G, as in 500M or 2G; got {text!r}")
    return int(float(match[1]) * _BYTES[match[2]])
