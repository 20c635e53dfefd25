"""The SQLite file of a store: opened safely, brought to the present schema, written in whole transactions."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import warnings
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

from tinysearch.errors import StoreError, StoreWriteError, TinySearchWarning
from tinysearch.results.migration import APPLICATION_ID, migrate
from tinysearch.results.schema import MIGRATIONS

Values = tuple[Any, ...] | Mapping[str, Any]

# Seconds to wait for other processes.
_PATIENCE = 30.0
# The second is one whose message has parts of a damaged file in it.
_ERRORS = (sqlite3.Error, UnicodeDecodeError)
# What SQLite says of a file whose pages or tables are not what they should be.
_DAMAGED = ("malformed", "no such column", "no such table", "unsupported file format")


class Database:
    """One connection.

    A store that lies where nothing can be written is read as it is; if it is of an earlier version, a copy of it in
    memory is brought to the present one.

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
                f"there is no store at {path}; a search makes one, `store=` or TINYSEARCH_STORE names another, and "
                f"'tinysearch leaderboard --reference' shows the results that come with tinysearch"
            )
        try:
            self._connection = self._opened(create)
        except _ERRORS as error:
            raise self._unusable(error) from None

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for one transaction, which is on disk when it ends, or undone.

        Raises:
            StoreWriteError: if it cannot be written.
            StoreError: if the file is damaged.
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
            if _is_damage(error):
                raise self._unusable(error) from None
            raise StoreWriteError(
                f"the store {self.path} could not be written ({error}); what was stored before is intact: "
                f"free some space or fix the folder, then continue with `resume=True`"
            ) from error

    def query(self, sql: str, values: Values = ()) -> Generator[sqlite3.Row, None, None]:
        """Read, row by row. Text that is no UTF-8 is read all the same, and has surrogates in it.

        Raises:
            StoreError: if it cannot be read.
        """
        try:
            # A cursor that is delegated to is closed with this generator, which may be after the connection.
            for row in self._connection.execute(sql, values):  # noqa: UP028
                yield row
        except _ERRORS as error:
            raise self._unusable(error) from None

    def first(self, sql: str, values: Values = ()) -> sqlite3.Row | None:
        """Read the first row; None if there is none.

        Raises:
            StoreError: if it cannot be read.
        """
        with contextlib.closing(self.query(sql, values)) as rows:
            return next(rows, None)

    def tuples(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Read all rows as tuples, which is fast.

        Raises:
            UnicodeError: if there is text that is no UTF-8.
            StoreError: if it cannot be read.
        """
        cursor = self._connection.cursor()
        cursor.row_factory = None
        self._connection.text_factory = str
        try:
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
        """Check the structure of the whole file, which takes as long as to read it.

        Raises:
            StoreError: if it is damaged, so that rows may be missing without a sign of it.
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
        # It may also be that only the index of its write-ahead log has no place, which this does without.
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
        connection = sqlite3.connect(name, uri=uri, isolation_level=None, timeout=_PATIENCE)
        connection.row_factory = sqlite3.Row
        connection.text_factory = _text
        return connection

    def _is_frozen(self) -> bool:
        """Whether the file cannot be written where it is, and is whole without a log beside it.

        Raises:
            StoreError: if it is not whole.
        """
        if os.access(self.path.parent, os.W_OK) and os.access(self.path, os.W_OK):
            return False
        log = self.path.with_name(f"{self.path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise StoreError(
                f"the store {self.path} was not closed, and the results in {log.name} cannot be read where nothing can "
                f"be written; copy both files to another folder"
            )
        return True

    def _prepared(self, connection: sqlite3.Connection, *, create: bool) -> sqlite3.Connection:
        """Bring a store to the present schema; close it if that cannot be done."""
        try:
            # One transaction: another process may be making the store at this moment. If it is to be written, whether
            # it can be is better known now than after the first training.
            connection.execute("BEGIN IMMEDIATE" if create else "BEGIN")
            version = self._version(connection, create=create)
            if version < len(MIGRATIONS):
                if not create:
                    # From reading to writing there is no way within a transaction.
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
            # What was not committed is undone.
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
        """Set the journal, once for ever, or do with another where the disk cannot have this one."""
        until = time.monotonic() + _PATIENCE
        while True:
            try:
                (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                # SQLite does not wait for this lock as it does for others.
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.05)
        # What is in memory has a journal there.
        if mode not in ("wal", "memory"):
            warnings.warn(
                f"the disk of the store {self.path} cannot have a write-ahead log, so a rollback journal is kept: "
                f"everything works, but reading and writing wait for each other",
                TinySearchWarning,
                stacklevel=5,
            )

    def _structure(self) -> str | None:
        """Return what is wrong with the structure of the file; None if nothing is."""
        try:
            found = [str(row[0]) for row in self._connection.execute("PRAGMA quick_check(20)")]
        except _ERRORS as error:
            return str(error)
        # What a single value is, is a matter of its row.
        lines = [line for line in "\n".join(found).splitlines() if " value in " not in line and line[:3] != "***"]
        return next((line for line in lines if line != "ok"), None)

    def _unusable(self, error: Exception) -> StoreError:
        if _is_damage(error):
            return self._damaged(str(error))
        return StoreError(
            f"the store {self.path} cannot be used ({error}); name a writable file with `store=` or TINYSEARCH_STORE"
        )

    def _damaged(self, reason: str) -> StoreError:
        return StoreError(
            f"the store {self.path} is damaged ({reason}); put a copy of it in its place, or recover what is left: "
            f"sqlite3 {self.path} .recover | sqlite3 recovered.db"
        )


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")


def _is_damage(error: Exception) -> bool:
    return isinstance(error, UnicodeDecodeError) or any(words in str(error) for words in _DAMAGED)
