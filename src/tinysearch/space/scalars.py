"""Conversion of numbers and names to plain ``int``, ``float`` and ``str``, and formatting of numbers for people.

Values that compare equal must have equal keys. Keys are hashes of JSON, which writes ``7``, ``7.0``, ``-0.0`` and
``true`` differently and cannot represent NumPy numbers. So every value stores plain ``int``, ``float`` and ``str``.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence

# Numbers from the first and below the second are written without a power of ten.
_SMALLEST, _LARGEST = 1e-9, 1e15


def integer(value: object) -> int | None:
    """Return an integer, NumPy's included, as a plain ``int``; None for booleans and everything else.

    >>> integer(3), integer(True), integer(3.0)
    (3, None, None)
    """
    if type(value) is int:
        return value
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        return None


def real(value: object) -> float | None:
    """Return a real number, NumPy's included, as a plain ``float`` without negative zero; None for everything else.

    >>> real(7), real(-0.0), real("7")
    (7.0, 0.0, None)
    """
    if type(value) is float:
        return value + 0.0
    if isinstance(value, bool):
        return None
    whole = integer(value)
    if whole is None and not isinstance(value, numbers.Real):
        return None
    try:
        return float(value if whole is None else whole) + 0.0  # type: ignore[arg-type]
    except OverflowError:
        return None


def written(value: float, digits: int = 6) -> str:
    """Return a number as text for people: rounded to ``digits`` digits, with all digits before the point kept.

    Only very large and very small numbers have a power of ten, written out.

    >>> written(1031.25, 3), written(0.25), written(0.00001234, 3), written(-0.0), written(3.0114e30, 3)
    ('1,031', '0.25', '0.0000123', '0', '3.01 x 10^30')
    """
    if not value or not math.isfinite(value):
        return f"{value + 0.0:g}"
    if not _SMALLEST <= abs(value) < _LARGEST:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')} x 10^{int(exponent)}"
    # Round first, because rounding may add a digit: 9.996 has as many decimal places as 10.0.
    places = max(0, digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2]))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def option(value: object, options: Sequence[str]) -> str | None:
    """Return the option that equals a text, as a plain ``str``; None if none does.

    >>> option("same", ("same", "valid"))
    'same'
    """
    if not isinstance(value, str):
        return None
    return next((one for one in options if one == value), None)
