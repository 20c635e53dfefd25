"""The store: every record of every run, in one SQLite file.

The journal is a write-ahead log, so a second process can read while a run writes; each record is one transaction,
synced to the disk before ``append`` returns.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import Any

from tinysearch.errors import CandidateError, RunError, StoreError, StoreWriteError
from tinysearch.results.record import Measurement, Record, Run
from tinysearch.results.schema import MIGRATIONS
from tinysearch.space.architecture import Architecture, digest
from tinysearch.space.cost import Cost

# "tiny", by which SQLite files know what they are for.
APPLICATION_ID = 0x74696E79
# Seconds to wait for other processes.
_PATIENCE = 30.0
DEFAULT_PATH = Path("runs", "tinysearch.db")


def default_path() -> Path:
    """Return ``$TINYSEARCH_STORE``, or ``runs/tinysearch.db`` in the working directory."""
    return Path(os.environ.get("TINYSEARCH_STORE") or DEFAULT_PATH)


class Store:
    """Records on disk.

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
                f"there is no store at {path}; 'tinysearch run' makes one, --store or TINYSEARCH_STORE names another"
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

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def folder_of(self, run: str) -> Path:
        """Return the folder beside the store for the files of a run: models of its best few candidates, and its lock.

        It has the run's name, or where that is no plain name for a folder, a digest of it.
        """
        plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run) is not None
        return self.path.parent / f"{self.path.stem}-models" / (run if plain else f"run-{digest(run)}")

    def create_run(self, name: str, dataset: str, fingerprint: str, settings: Mapping[str, Any]) -> Run:
        """Make a run.

        Raises:
            RunError: if the name is taken.
        """
        with self._writing():
            try:
                self._connection.execute(
                    "INSERT INTO runs (name, dataset, fingerprint, settings, created_at) VALUES (?, ?, ?, ?, ?)",
                    (name, dataset, fingerprint, _dump(settings), _now()),
                )
            except sqlite3.IntegrityError:
                raise RunError(
                    f"a run named {name!r} is in the store already; continue it with --resume, or give another --name"
                ) from None
        return self.run(name)

    def run(self, name: str) -> Run:
        """Return a run.

        Raises:
            RunError: if there is none of that name.
        """
        for run in self.runs():
            if run.name == name:
                return run
        known = ", ".join(run.name for run in self.runs()) or "none yet"
        raise RunError(f"the store {self.path} has no run named {name!r}; its runs: {known}")

    def runs(self) -> list[Run]:
        """Return all runs, oldest first."""
        rows = self._query("SELECT * FROM runs ORDER BY id")
        return [
            Run(
                name=row["name"],
                dataset=row["dataset"],
                fingerprint=row["fingerprint"],
                settings=json.loads(row["settings"]),
                rejections=json.loads(row["rejections"]),
                created_at=row["created_at"],
                finished_at=row["finished_at"],
            )
            for row in rows
        ]

    def append(self, record: Record) -> None:
        """Store a record in one transaction.

        A training that was recorded already (same run, candidate, seed and purpose) is not stored twice.

        Raises:
            StoreWriteError: if it cannot be written, a full disk for example; the store is as it was before.
        """
        with self._writing():
            self._connection.execute(
                """
                INSERT INTO records (
                    run_id, key, name, origin, purpose, trial, seed, params, val_accuracy, test_accuracy,
                    test_fingerprint, failure, architecture, cost, recipe, measurement, provenance, position,
                    taken_from, rejections, created_at
                ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (run_id, key, seed, purpose) DO NOTHING
                """,
                (
                    self._run_id(record.run),
                    record.key,
                    record.name,
                    record.origin,
                    record.purpose,
                    record.trial,
                    record.seed,
                    record.cost.params,
                    record.measurement.val_accuracy,
                    record.test_accuracy,
                    record.test_fingerprint,
                    record.measurement.failure,
                    _dump(record.architecture.to_dict()),
                    _dump(record.cost.to_dict()),
                    _dump(record.recipe),
                    _dump(record.measurement.to_dict()),
                    _dump(record.provenance),
                    record.position,
                    record.taken_from,
                    _dump(dict(record.rejections)),
                    record.created_at or _now(),
                ),
            )

    def reopen(self, name: str, settings: Mapping[str, Any]) -> None:
        """Note that a run goes on, with its settings as they are now."""
        with self._writing():
            self._connection.execute(
                "UPDATE runs SET finished_at = NULL, rejections = '{}', settings = ? WHERE name = ?",
                (_dump(settings), name),
            )

    def finish(self, name: str, settings: Mapping[str, Any], rejections: Mapping[str, int]) -> None:
        """Note that a run has come to its end, with its settings as they are now.

        ``rejections`` are those after the last record.
        """
        with self._writing():
            self._connection.execute(
                "UPDATE runs SET finished_at = ?, settings = ?, rejections = ? WHERE name = ?",
                (_now(), _dump(settings), _dump(dict(rejections)), name),
            )

    def records(self, run: str | None = None) -> list[Record]:
        """Return the records of one run, or of all, oldest run first.

        Those of a search come in the order of their positions, then evaluations as they were stored.
        """
        order = "ORDER BY run_id, position IS NULL, position, id"
        if run is None:
            rows = self._query(f"SELECT * FROM trainings {order}")  # noqa: S608
        else:
            rows = self._query(f"SELECT * FROM trainings WHERE run = ? {order}", (run,))  # noqa: S608
        return [_record(row) for row in rows]

    def trained(self, key: str, seed: int, fingerprint: str) -> Record | None:
        """Return the oldest record of a search, in any run, that measured a candidate with a seed on some data."""
        row = self._query(
            """
            SELECT * FROM trainings
            WHERE key = ? AND seed = ? AND fingerprint = ? AND purpose = 'search' AND failure IS NULL
                AND taken_from IS NULL
            ORDER BY id LIMIT 1
            """,
            (key, seed, fingerprint),
        ).fetchone()
        return None if row is None else _record(row)

    def find(self, prefix: str) -> list[Record]:
        """Return the records of the one candidate whose key begins with ``prefix``, oldest first.

        Raises:
            CandidateError: if no candidate, or more than one, has such a key.
        """
        rows = self._query(
            "SELECT * FROM trainings WHERE substr(key, 1, ?) = ? ORDER BY id",
            (len(prefix), prefix),
        ).fetchall()
        keys = sorted({row["key"] for row in rows})
        if not keys:
            raise CandidateError(
                f"no record's key begins with {prefix!r}; 'tinysearch leaderboard' lists the keys, and a candidate may "
                f"also be baseline:conv, baseline:separable, baseline:inception or a JSON file with an architecture"
            )
        if len(keys) > 1:
            raise CandidateError(f"{len(keys)} keys begin with {prefix!r}: {', '.join(keys[:5])}; give more digits")
        return [_record(row) for row in rows]

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
        for number, statements in enumerate(MIGRATIONS[version:], start=version + 1):
            for statement in statements:
                self._connection.execute(statement)
            self._connection.execute(f"PRAGMA user_version = {number}")
        self._connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")

    def _keep_a_write_ahead_log(self) -> None:
        """Set the journal, once for ever. SQLite does not wait for this lock as it does for others."""
        until = time.monotonic() + _PATIENCE
        while self._connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            try:
                self._connection.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.rollback()
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.rollback()
            raise StoreWriteError(
                f"the store {self.path} could not be written ({error}); what was stored before is intact: "
                f"free some space or mend the folder, then continue with --resume"
            ) from error

    def _query(self, sql: str, values: tuple[Any, ...] = ()) -> sqlite3.Cursor:
        try:
            return self._connection.execute(sql, values)
        except sqlite3.Error as error:
            raise self._unusable(error) from None

    def _run_id(self, name: str) -> int:
        row = self._connection.execute("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise RunError(f"the store {self.path} has no run named {name!r}")
        return int(row["id"])

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the store {self.path} cannot be used ({error}); name a writable file with --store or TINYSEARCH_STORE"
        )


def _record(row: sqlite3.Row) -> Record:
    return Record(
        run=row["run"],
        key=row["key"],
        name=row["name"],
        origin=row["origin"],
        purpose=row["purpose"],
        trial=row["trial"],
        seed=row["seed"],
        dataset=row["dataset"],
        fingerprint=row["fingerprint"],
        architecture=Architecture.from_dict(json.loads(row["architecture"])),
        cost=Cost.from_dict(json.loads(row["cost"])),
        recipe=json.loads(row["recipe"]),
        measurement=Measurement.from_dict(json.loads(row["measurement"])),
        test_accuracy=row["test_accuracy"],
        test_fingerprint=row["test_fingerprint"],
        provenance=json.loads(row["provenance"]),
        position=row["position"],
        taken_from=row["taken_from"],
        rejections=json.loads(row["rejections"]),
        created_at=row["created_at"],
    )


def _dump(data: Any) -> str:
    return json.dumps(data, sort_keys=True, allow_nan=False)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
