"""Sizes of memory as people write them."""

from __future__ import annotations

import re

from tinysearch.errors import InputError

_BYTES = {"K": 2**10, "M": 2**20, "G": 2**30}


def size(text: str) -> int:
    """Return a size of memory in bytes; K, M and G are powers of 1,024, as memory is built.

    Raises:
        InputError: if the text is no positive number with one of the units K, M and G.

    >>> size("500M"), size("1.5G")
    (524288000, 1610612736)
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([KMG])(?:I?B)?", text.strip().upper())
    if match is None or float(match[1]) * _BYTES[match[2]] < 1:
        raise InputError(f"a size of memory is a number with K, M or G, as in 500M or 2G; got {text!r}")
    return int(float(match[1]) * _BYTES[match[2]])
