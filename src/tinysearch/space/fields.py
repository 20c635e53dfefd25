"""Validation of the fields of layers, and their conversion from and to plain JSON values."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from tinysearch.errors import ArchitectureError
from tinysearch.space.scalars import integer, option

# One number for both directions, or a vertical and a horizontal one if they differ.
Sides = int | tuple[int, int]


def non_default_fields(value: Any) -> dict[str, Any]:
    """Return the fields that differ from their default as plain JSON values, fields without a default first."""
    own = [item for item in dataclasses.fields(value) if getattr(value, item.name) != item.default]
    own.sort(key=lambda item: (item.default is not dataclasses.MISSING, item.name))
    return {item.name: _plain(getattr(value, item.name)) for item in own}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def keep_kernel(owner: Any, high: int) -> None:
    """Normalize the field ``kernel`` to a height and a width, each from 1 to ``high``.

    Raises:
        ArchitectureError: if it is neither one integer nor a pair of integers within these bounds.
    """
    value = owner.kernel
    if isinstance(value, (tuple, list)) and len(value) != 2:
        raise ArchitectureError(f"a kernel is one integer or a height and a width, got {value!r}")
    height, width = value if isinstance(value, (tuple, list)) else (value, value)
    sides = (_integer("kernel", height, 1, high), _integer("kernel", width, 1, high))
    object.__setattr__(owner, "kernel", sides)


def both(sides: Sides) -> tuple[int, int]:
    """Return the vertical and the horizontal side."""
    return sides if isinstance(sides, tuple) else (sides, sides)


def keep_sides(owner: Any, name: str, low: int, high: int) -> None:
    """Normalize a field of sides; two equal sides become one number, so that keys of earlier versions stay valid.

    Raises:
        ArchitectureError: if it is neither one integer nor a pair of integers within bounds.
    """
    value = getattr(owner, name)
    if not isinstance(value, (tuple, list)):
        return keep_integer(owner, name, low, high)
    if len(value) != 2:
        raise ArchitectureError(f"{name} is one integer, or a vertical and a horizontal one, got {value!r}")
    down, across = (_integer(name, side, low, high) for side in value)
    object.__setattr__(owner, name, down if down == across else (down, across))
    return None


def _integer(name: str, value: object, low: int, high: int) -> int:
    whole = integer(value)
    if whole is None or not low <= whole <= high:
        raise ArchitectureError(f"{name} must be an integer from {low} to {high}, got {value!r}")
    return whole


def keep_integer(owner: Any, name: str, low: int, high: int, words: str = "") -> None:
    """Normalize a field to a plain integer within bounds; ``words`` is its name in errors.

    Raises:
        ArchitectureError: if it is not an integer within bounds.
    """
    value = getattr(owner, name)
    if type(value) is not int or not low <= value <= high:
        object.__setattr__(owner, name, _integer(words or name, value, low, high))


def keep_option(owner: Any, name: str, options: tuple[str, ...], words: str = "") -> None:
    """Normalize a field to one of the options as a plain ``str``; ``words`` is its name in errors.

    Raises:
        ArchitectureError: if it is not one of the options.
    """
    value = getattr(owner, name)
    if type(value) is not str or value not in options:
        known = option(value, options)
        if known is None:
            raise ArchitectureError(f"{words or name} must be one of {', '.join(options)}; got {value!r}")
        object.__setattr__(owner, name, known)


def mapping(owner: str, data: object) -> Mapping[str, Any]:
    """Return plain JSON values as a mapping with named fields.

    Raises:
        ArchitectureError: if they are not a mapping.
    """
    if not isinstance(data, Mapping):
        raise ArchitectureError(f"{owner} is an object with named fields, got {data!r}")
    return data


def plain_list(owner: str, data: object) -> list[Any]:
    """Return plain JSON values as a list.

    Raises:
        ArchitectureError: if they are not a list.
    """
    if not isinstance(data, list):
        raise ArchitectureError(f"expected {owner} as a list, got {data!r}")
    return data


def check_fields(owner: str, fields: Mapping[str, Any], known: set[str]) -> None:
    """Raise an error if a field is unknown.

    Raises:
        ArchitectureError: if a field is unknown.
    """
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ArchitectureError(f"{owner} has no field {unknown[0]!r}; its fields are {', '.join(sorted(known))}")
