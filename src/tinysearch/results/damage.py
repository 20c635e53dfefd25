"""Damaged rows of a store or lines of an archive: warnings and errors that name each of them."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tinysearch.errors import DamagedError, TinySearchWarning

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Damage:
    """One damaged row or line.

    Args:
        where: Its name, such as ``"record 12 of run 'mine'"``.
        reason: Why it cannot be read.
    """

    where: str
    reason: str

    def __str__(self) -> str:
        return f"{self.where} ({self.reason})"


def skipped(path: Path, damages: Sequence[Damage]) -> None:
    """Warn that damaged parts are left out; do nothing if ``damages`` is empty."""
    if damages:
        warnings.warn(f"{_named(path, damages)}; everything else is shown", TinySearchWarning, stacklevel=3)


def refuse(path: Path, damages: Sequence[Damage]) -> None:
    """Raise an error that names the damaged parts; do nothing if ``damages`` is empty.

    Raises:
        DamagedError: if ``damages`` is not empty.
    """
    if damages:
        raise DamagedError(
            f"{_named(path, damages)}, and all of it is needed here; replace the file with a backup, or save what can "
            f"be read with 'tinysearch export'"
        )


def printable(text: str) -> str:
    """Return a text from a damaged file as valid UTF-8, with escapes for lone surrogates."""
    return text.encode("utf-8", "backslashreplace").decode()


def _named(path: Path, damages: Sequence[Damage]) -> str:
    names = [str(damage) for damage in damages]
    more = "" if len(names) <= _NAMED else f", and {len(names) - _NAMED} more"
    return f"{path} is damaged and has parts that cannot be read: {', '.join(names[:_NAMED])}{more}"
