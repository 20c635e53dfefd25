"""Bringing a store from an earlier schema to the present one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tinysearch.errors import StoreError
from tinysearch.results import upgrade
from tinysearch.results.schema import MIGRATIONS
from tinysearch.space.architecture import Architecture
from tinysearch.space.notation import notation

# "tiny", by which SQLite files know what they are for.
APPLICATION_ID = 0x74696E79


def migrate(connection: sqlite3.Connection, version: int, path: Path) -> None:
    """Apply what came after a version, within the transaction that was begun.

    Args:
        connection: To the store.
        version: Of its schema.
        path: Of the store, for errors.

    Raises:
        StoreError: if rows are damaged, so that it cannot be done.
        sqlite3.Error: if it cannot be done for another reason.
    """
    for name, function in _FUNCTIONS.items():
        connection.create_function(name, 1, function, deterministic=True)
    try:
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements:
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {number}")
    except sqlite3.OperationalError as error:
        connection.execute("ROLLBACK")
        damaged = ", ".join(map(str, _damaged_rows(connection)))
        if not damaged:
            raise
        remedy = f"DELETE FROM records WHERE id IN ({damaged})"  # noqa: S608
        raise StoreError(
            f"the store {path} is of an earlier version and cannot be brought to the present one ({error}), for these "
            f"records are damaged: {damaged}; put a copy of the file in its place, or remove them: "
            f"sqlite3 {path} '{remedy}'"
        ) from None
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _damaged_rows(connection: sqlite3.Connection) -> list[int]:
    """Return the numbers of records, as the first two schemas have them, of which later ones cannot be made."""
    columns = {row["name"] for row in connection.execute("PRAGMA table_info(records)")}
    if not {"architecture", "cost", "measurement"} <= columns:
        return []
    found = []
    for number, architecture, *parts in connection.execute("SELECT id, architecture, cost, measurement FROM records"):
        try:
            for part in parts:
                json.loads(part)
            _notation(architecture)
        except (ValueError, TypeError):
            found.append(number)
    return found


def _notation(architecture: str) -> str:
    return notation(Architecture.from_dict(json.loads(architecture)))


def _renaming(rename: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Callable[[Any], Any]:
    """Return a function for SQL that gives present names to the fields of a JSON text; what is none stays as it is."""

    def new(raw: Any) -> Any:
        try:
            return json.dumps(rename(json.loads(raw)), sort_keys=True)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return raw

    return new


# What migrations call.
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "notation": _notation,
    "new_recipe": _renaming(upgrade.recipe),
    "new_settings": _renaming(upgrade.settings),
}
