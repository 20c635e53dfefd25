"""The SQLite file of a store: safe opening, migration to the current schema, and transactions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
import warnings
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from tinysearch.errors import StoreError, StoreWriteError, TinySearchWarning
from tinysearch.results.migration import APPLICATION_ID, migrate
from tinysearch.results.schema import MIGRATIONS

Values = tuple[Any, ...] | Mapping[str, Any]

# Seconds to wait for locks of other processes.
_PATIENCE = 30.0
# Number of rows that are read at a time.
_BLOCK = 256
# UnicodeDecodeError is raised if the message of SQLite quotes parts of a damaged file.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)
# Part of the message about a connection that was closed.
_CLOSED = "closed database"
# Parts of SQLite's messages about a file with damaged pages or wrong tables.
_DAMAGED = ("malformed", "no such column", "no such table", "unsupported file format")


class Database:
    """A connection to the SQLite file of a store.

    Threads may share it: they take turns, with whole transactions and with blocks of the rows of queries.

    A store that cannot be written is opened for reading only; if it has an earlier schema, a copy in memory is migrated
    to the current one.

    Args:
        path: The SQLite file.
        create: Create the file and its folder if they are missing; without it a missing file is an error.

    Raises:
        StoreError: if the file is missing, is not a store, was written by a newer tinysearch, or cannot be opened.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        # Reentrant, because a transaction may query.
        self._lock = threading.RLock()
        if create:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise self._unusable(error) from None
        elif not os.path.lexists(path):
            raise StoreError(
                f"there is no store at {path}; a search makes one, `store=` or TINYSEARCH_STORE names another, and "
                f"'tinysearch leaderboard --reference' shows the results that come with tinysearch"
            )
        try:
            self._connection = self._opened(create)
        except _ERRORS as error:
            raise self._unusable(error) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection for one transaction: committed to disk at the end, or rolled back after an error.

        Raises:
            StoreWriteError: if the transaction cannot be written.
            StoreError: if the file is damaged, or was closed.
        """
        with self._lock:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                try:
                    yield self._connection
                except BaseException:
                    self._connection.rollback()
                    raise
                self._connection.execute("COMMIT")
            except sqlite3.Error as error:
                if _CLOSED in str(error):
                    raise self._unusable(error) from None
                if self._connection.in_transaction:
                    self._connection.rollback()
                if _is_damage(error):
                    raise self._unusable(error) from None
                raise StoreWriteError(
                    f"the store {self.path} could not be written ({error}); earlier results are intact: "
                    f"free some space or fix the folder, then continue with `resume=True`"
                ) from error

    def query(self, sql: str, values: Values = ()) -> Generator[sqlite3.Row, None, None]:
        """Yield the rows of a query. Text that is not UTF-8 is decoded with surrogate escapes.

        Raises:
            StoreError: if the file cannot be read, or was closed.
        """
        try:
            with self._lock:
                cursor = self._connection.execute(sql, values)
            while rows := self._block(cursor):
                yield from rows
        except _ERRORS as error:
            raise self._unusable(error) from None

    def _block(self, cursor: sqlite3.Cursor) -> list[sqlite3.Row]:
        with self._lock:
            return cursor.fetchmany(_BLOCK)

    def first(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """Return the first row of a query; None if it has none.

        Raises:
            StoreError: if the file cannot be read, or was closed.
        """
        with contextlib.closing(self.query(sql, values)) as rows:
            return next(rows, None)

    def tuples(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query as tuples, which is faster than ``query``.

        Raises:
            UnicodeError: if a text is not UTF-8.
            StoreError: if the file cannot be read, or was closed.
        """
        with self._lock:
            try:
                cursor = self._connection.cursor()
                cursor.row_factory = None
                self._connection.text_factory = str
                return cursor.execute(sql, values).fetchall()
            except sqlite3.Error as error:
                if "UTF-8" in str(error):
                    raise UnicodeError(str(error)) from None
                raise self._unusable(error) from None
            except UnicodeDecodeError as error:
                raise self._unusable(error) from None
            finally:
                self._connection.text_factory = _text

    def check(self) -> None:
        """Check the structure of the whole file, which takes as long as reading it.

        Raises:
            StoreError: if the structure is damaged, so that rows may be missing unnoticed.
        """
        found = self._structure()
        if found is not None:
            raise self._damaged(found)

    def _opened(self, create: bool) -> sqlite3.Connection:
        try:
            return self._prepared(self._connected(str(self.path)), create=create)
        except sqlite3.OperationalError:
            if create or not self._is_frozen():
                raise
        # The reason may be just that the index of the write-ahead log cannot be created. An immutable file needs none.
        connection = self._connected(f"{self.path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
        try:
            if self._version(connection, create=False) == len(MIGRATIONS):
                return connection
            copy = self._connected(":memory:")
            connection.backup(copy)
        except BaseException:
            connection.close()
            raise
        connection.close()
        copy = self._prepared(copy, create=False)
        copy.execute("PRAGMA query_only = ON")
        return copy

    def _connected(self, name: str, *, uri: bool = False) -> sqlite3.Connection:
        # Threads take turns, see the lock.
        connection = sqlite3.connect(name, uri=uri, isolation_level=None, timeout=_PATIENCE, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        return connection

    def _is_frozen(self) -> bool:
        """Whether the file cannot be written and is complete without its write-ahead log.

        Raises:
            StoreError: if the file cannot be written and its log still holds results.
        """
        if os.access(self.path.parent, os.W_OK) and os.access(self.path, os.W_OK):
            return False
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise StoreError(
                f"the store {self.path} was not closed, and the results in {log.name} can be read only in a writable "
                f"folder; copy both files to one"
            )
        return True

    def _prepared(self, connection: sqlite3.Connection, *, create: bool) -> sqlite3.Connection:
        """Migrate a store to the current schema; close the connection if that fails."""
        try:
            # One transaction, because another process may be creating the store at the same time. With `create`, it is
            # a write transaction, so that a store that cannot be written fails here and not after the first training.
            connection.execute("BEGIN IMMEDIATE" if create else "BEGIN")
            version = self._version(connection, create=create)
            if version < len(MIGRATIONS):
                if not create:
                    # A read transaction cannot safely become a write transaction.
                    connection.execute("ROLLBACK")
                    connection.execute("BEGIN IMMEDIATE")
                    version = self._version(connection, create=create)
                migrate(connection, version, self.path)
            connection.execute("COMMIT")
            if create:
                self._keep_a_write_ahead_log(connection)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
        except BaseException:
            # This also rolls back an open transaction.
            connection.close()
            raise
        return connection

    def _version(self, connection: sqlite3.Connection, *, create: bool) -> int:
        version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if version > len(MIGRATIONS):
            raise StoreError(
                f"the store {self.path} has schema version {version}, this tinysearch knows up to {len(MIGRATIONS)}; "
                f"upgrade tinysearch, or name another store"
            )
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        owner = connection.execute("PRAGMA application_id").fetchone()[0]
        fresh = version == 0 and not tables and create
        if version < 0 or owner != (APPLICATION_ID if version else 0) or not (version or fresh):
            raise StoreError(f"{self.path} is not a store of tinysearch; name another file with `store=`")
        return version

    def _keep_a_write_ahead_log(self, connection: sqlite3.Connection) -> None:
        """Switch the file to a write-ahead log, permanently; warn if the disk does not support one."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                # The timeout of the connection does not cover this lock.
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        # A database in memory has its journal in memory.
        if mode not in ("wal", "memory"):
            warnings.warn(
                f"the disk of the store {self.path} does not support a write-ahead log, so a rollback journal is used: "
                f"everything works, but reading and writing wait for each other",
                TinySearchWarning,
                stacklevel=5,
            )

    def _structure(self) -> str | None:
        """Return the first problem with the structure of the file; None if there is none."""
        with self._lock:
            try:
                found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(20)")]
            except _ERRORS as error:
                return str(error)
        # Leave out headers ("***") and problems with single values, which are reported when their row is read.
        lines = [line for line in "\n".join(found).splitlines() if " value in " not in line and line[:3] != "***"]
        return next((line for line in lines if line != "ok"), None)

    def _unusable(self, error: Exception) -> StoreError:
        if _is_damage(error):
            return self._damaged(str(error))
        if _CLOSED in str(error):
            return StoreError(f"the store {self.path} was closed; open it, or the study, again")
        return StoreError(
            f"the store {self.path} cannot be used ({error}); name a writable file with `store=` or TINYSEARCH_STORE"
        )

    def _damaged(self, reason: str) -> StoreError:
        return StoreError(
            f"the store {self.path} is damaged ({reason}); replace it with a backup, or recover what is left: "
            f"sqlite3 {self.path} .recover | sqlite3 recovered.db"
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _is_damage(error: Exception) -> bool:
    return isinstance(error, UnicodeDecodeError) or any(words in str(error) for words in _DAMAGED)
