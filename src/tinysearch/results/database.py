"""The SQLite file of a store: opened safely, brought to the present schema, written in whole transactions."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinysearch.errors import StoreError, StoreWriteError
from tinysearch.results import upgrade
from tinysearch.results.schema import MIGRATIONS
from tinysearch.space.architecture import Architecture
from tinysearch.space.notation import notation

# "tiny", by which SQLite files know what they are for.
APPLICATION_ID = 0x74696E79
# Seconds to wait for other processes.
_PATIENCE = 30.0


class Database:
    """One connection.

    Args:
        path: The SQLite file.
        create: Make the file and its folder if they are missing; without it a missing file is an error.

    Raises:
        StoreError: if the file is missing, is no store, was written by a newer tinysearch, or cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        if create:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unusable(error) from None
        elif not os.path.lexists(path):
            raise StoreError(
                f"there is no store at {path}; 'tinysearch run' makes one, --store or TINYSEARCH_STORE names "
                f"another, --reference reads the results that come with tinysearch"
            )
        try:
            self._connection = sqlite3.connect(path, isolation_level=None, timeout=_PATIENCE)
        except sqlite3.Error as error:
            raise self._unusable(error) from None
        try:
            self._connection.row_factory = sqlite3.Row
            self._open(create)
        except sqlite3.Error as error:
            self.close()
            raise self._unusable(error) from None
        except StoreError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one transaction, which is on disk when it ends, or undone.

        Raises:
            StoreWriteError: if it cannot be written.
        """
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise StoreWriteError(
                f"the store {self.path} could not be written ({error}); what was stored before is intact: "
                f"free some space or fix the folder, then continue with --resume"
            ) from error

    def query(self, sql: str, values: tuple[Any, ...] = (), row: Any = sqlite3.Row) -> sqlite3.Cursor:
        """Read; ``row`` makes a row of a cursor and a tuple, None leaves it a tuple.

        Raises:
            StoreError: if it cannot be read.
        """
        cursor = self._connection.cursor()
        cursor.row_factory = row
        try:
            return cursor.execute(sql, values)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _open(self, create: bool) -> None:
        # One transaction: another process may be making the store at this moment. If it is to be written, whether it
        # can be is better known now than after the first training.
        self._connection.execute("BEGIN IMMEDIATE" if create else "BEGIN")
        try:
            version = self._version(create)
            if version < len(MIGRATIONS):
                if not create:
                    # From reading to writing there is no way within a transaction.
                    self._connection.execute("ROLLBACK")
                    self._connection.execute("BEGIN IMMEDIATE")
                    version = self._version(create)
                self._migrate(version)
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        self._keep_a_write_ahead_log()
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")

    def _version(self, create: bool) -> int:
        version = int(self._connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreError(
                f"the store {self.path} has schema version {version}, this tinysearch knows up to {len(MIGRATIONS)}; "
                f"upgrade tinysearch, or name another store"
            )
        tables = {row[0] for row in self._connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        owner = self._connection.execute("PRAGMA application_id").fetchone()[0]
        if owner != (APPLICATION_ID if version else 0) or (version == 0 and (tables or not create)):
            raise StoreError(f"{self.path} is not a store of tinysearch; name another file with --store")
        return version

    def _migrate(self, version: int) -> None:
        for name, function in _FUNCTIONS.items():
            self._connection.create_function(name, 1, function, deterministic=True)
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {number}")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _keep_a_write_ahead_log(self) -> None:
        """Set the journal, once for ever. SQLite does not wait for this lock as it does for others.

        What is in memory has a journal there.
        """
        until = time.monotonic() + _PATIENCE
        while self._connection.execute("PRAGMA journal_mode").fetchone()[0] not in ("wal", "memory"):
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the store {self.path} cannot be used ({error}); name a writable file with --store or TINYSEARCH_STORE"
        )


def _notation(architecture: str) -> str:
    return notation(Architecture.from_dict(json.loads(architecture)))


# What migrations call.
_FUNCTIONS = {
    "notation": _notation,
    "new_recipe": lambda text: json.dumps(upgrade.recipe(json.loads(text)), sort_keys=True),
    "new_settings": lambda text: json.dumps(upgrade.settings(json.loads(text)), sort_keys=True),
}
