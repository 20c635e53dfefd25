"""Migration of a store from an earlier schema to the current one."""

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

# "tiny" in ASCII: the application id of SQLite files that are stores.
APPLICATION_ID = 0x74696E79


def migrate(connection: sqlite3.Connection, version: int, path: Path) -> None:
    """Apply the migrations after a version within the open transaction.

    Args:
        connection: Connection to the store, with an open transaction.
        version: Version of the store's schema.
        path: Path of the store, for error messages.

    Raises:
        StoreError: if damaged rows prevent the migration.
        sqlite3.Error: if the migration fails for another reason.
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
            f"the store {path} is of an earlier version and cannot be migrated ({error}), because these records are "
            f"damaged: {damaged}; replace the file with a backup, or remove the records: "
            f"sqlite3 {path} '{remedy}'"
        ) from None
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")


def _damaged_rows(connection: sqlite3.Connection) -> list[int]:
    """Return the ids of records in one of the first two schemas that cannot be migrated."""
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
    """Return an SQL function that renames fields of a JSON object; other text stays unchanged."""

    def new(raw: Any) -> Any:
        try:
            return json.dumps(rename(json.loads(raw)), sort_keys=True)
        except (ValueError, TypeError, AttributeError, RecursionError):
            return raw

    return new


# SQL functions that migrations call.
_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "notation": _notation,
    "new_recipe": _renaming(upgrade.recipe),
    "new_settings": _renaming(upgrade.settings),
}
