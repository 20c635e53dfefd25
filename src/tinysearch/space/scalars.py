"""Plain numbers and names: what a value that checks itself takes, how it keeps it, and how people read it.

Values that compare equal must have equal keys. Keys are made of JSON, which writes ``7``, ``7.0``, ``-0.0`` and
``true`` differently, and cannot write NumPy's numbers at all. So each value keeps plain ``int``, ``float`` and ``str``.
"""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Sequence

# Between these, numbers are written without a power of ten.
_SMALLEST, _LARGEST = 1e-9, 1e15


def integer(value: object) -> int | None:
    """Return any whole number, NumPy's included, as a plain one; None for booleans and whatever else is none.

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
    """Return any real number, NumPy's included, as a plain float without a negative zero; None for whatever is none.

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
    """Write a number for people: rounded to some digits, all places before the point kept.

    Only what is very large or very small has a power of ten, written out.

    >>> written(1031.25, 3), written(0.25), written(0.00001234, 3), written(-0.0), written(3.0114e30, 3)
    ('1,031', '0.25', '0.0000123', '0', '3.01 x 10^30')
    """
    if not value or not math.isfinite(value):
        return f"{value + 0.0:g}"
    if not _SMALLEST <= abs(value) < _LARGEST:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')} x 10^{int(exponent)}"
    # Rounding first, which may add a place: 9.996 has as many places behind the point as 10.0.
    places = max(0, digits - 1 - int(f"{value:.{digits - 1}e}".partition("e")[2]))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if places else text


def option(value: object, options: Sequence[str]) -> str | None:
    """Return the option that a text is equal to, as a plain ``str``; None if it is none of them.

    >>> option("same", ("same", "valid"))
    'same'
    """
    if not isinstance(value, str):
        return None
    return next((one for one in options if one == value), None)
