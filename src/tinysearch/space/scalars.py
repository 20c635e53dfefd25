"""Plain numbers and names: what a value that checks itself takes, and the one form in which it keeps it.

Values that compare equal must have equal keys. Keys are made of JSON, which writes ``7``, ``7.0``, ``-0.0`` and
``true`` differently, and cannot write NumPy's numbers at all. So each value keeps plain ``int``, ``float`` and ``str``.
"""

from __future__ import annotations

import numbers
import operator
from collections.abc import Sequence


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


def option(value: object, options: Sequence[str]) -> str | None:
    """Return the option that a text is equal to, as a plain ``str``; None if it is none of them.

    >>> option("same", ("same", "valid"))
    'same'
    """
    if not isinstance(value, str):
        return None
    return next((one for one in options if one == value), None)
