"""Rows of a store, or lines of an archive, that cannot be read: each is named, and the others are still there."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinysearch.errors import DamagedError, TinySearchWarning

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Damage:
    """One of them.

    Args:
        where: Which one, as in ``"record 12 of run 'mine'"``.
        reason: What is wrong with it.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where} ({self.reason})"


def skipped(path: Path, damages: Sequence[Damage]) -> None:
    """Warn that something cannot be read and is left out; does nothing if there is nothing."""
    if damages:
        warnings.warn(f"{_named(path, damages)}; everything else is shown", TinySearchWarning, stacklevel=3)


def refuse(path: Path, damages: Sequence[Damage]) -> None:
    """Refuse to go on with what cannot be read; does nothing if there is nothing.

    Raises:
        DamagedError: if there is something.
    """
    if damages:
        raise DamagedError(
            f"{_named(path, damages)}, and all of it is needed here; put a copy of the file in its place, or keep what "
            f"can be read with 'tinysearch export'"
        )


def printable(text: str) -> str:
    """Return a text that was read of a damaged file, so that it can be written."""
    return text.encode("utf-8", "backslashreplace").decode()


def _named(path: Path, damages: Sequence[Damage]) -> str:
    names = [str(damage) for damage in damages]
    more = "" if len(names) <= _NAMED else f", and {len(names) - _NAMED} more"
    return f"{path} is damaged and has parts that cannot be read: {', '.join(names[:_NAMED])}{more}"
