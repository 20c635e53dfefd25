"""The store: all records of all runs in one SQLite file.

The file uses a write-ahead log, so that a second process can read while a run writes. Each record is one transaction,
synced to disk before ``append`` returns.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.errors import CandidateError, RunError
from tinysearch.results.damage import printable
from tinysearch.results.record import Purpose, Record
from tinysearch.results.rows import are_summaries, to_summary
from tinysearch.results.run import Run
from tinysearch.results.runs import Runs
from tinysearch.results.summary import Summary
from tinysearch.results.tables import (
    NUMBERED_SUMMARIES,
    SUMMARIES,
    TEST,
    TEST_METRICS,
    TRAININGS,
    deployment_of,
    dump,
    insert_record,
    insert_run,
    now,
    record_of,
)
from tinysearch.runtime.paths import local

if TYPE_CHECKING:
    # Not imported at run time: they need NumPy, which a leaderboard does not.
    from tinysearch.results.predictions import Evaluated, Predictions

DEFAULT_PATH = Path("runs", "tinysearch.db")
_ORDER = "ORDER BY run_id, position IS NULL, position, records.id"


def default_path() -> Path:
    """Return ``$TINYSEARCH_STORE``, or ``runs/tinysearch.db`` in the working directory.

    Raises:
        InputError: if the variable holds a URL.
    """
    named = os.environ.get("TINYSEARCH_STORE")
    return local(named, "TINYSEARCH_STORE") if named else DEFAULT_PATH


class Store(Runs):
    """Runs and their records in a ``Database``, with its arguments and errors.

    Damaged rows are left out with a ``TinySearchWarning`` that names them if the other rows are useful without them; if
    all rows are needed, they raise a ``DamagedError``.
    """

    def add(self, runs: Iterable[Run], records: Iterable[Record]) -> None:
        """Store runs and records of another store in one transaction.

        Raises:
            StoreWriteError: if they cannot be written, or a run with one of their names exists already.
        """
        with self._database.writing() as connection:
            for run in runs:
                insert_run(connection, run)
            numbers = {row["name"]: row["id"] for row in self._database.query("SELECT id, name FROM runs")}
            for record in records:
                insert_record(connection, numbers[record.run], record)

    def append(self, record: Record, predictions: Predictions | None = None) -> None:
        """Store a record, and the predictions of its network on the test images, in one transaction.

        A training that is in the store already (same run, candidate, seed and purpose) is not stored twice.

        Raises:
            RunError: if its run is not in the store.
            StoreWriteError: if it cannot be written, for example to a full disk; the store remains unchanged.
        """
        with self._database.writing() as connection:
            number = insert_record(connection, self._run_id(record.run), record)
            if number is not None and predictions is not None:
                connection.execute(
                    "INSERT INTO test_sets (fingerprint, labels) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (record.test_fingerprint, predictions.labels),
                )
                connection.execute(
                    "INSERT INTO predictions (record_id, predicted) VALUES (?, ?)", (number, predictions.predicted)
                )

    def note_test_metric(self, record: Record, name: str, value: float) -> None:
        """Store a metric's value on the test images for a stored record; an existing value is kept.

        Raises:
            RunError: if the record is not in the store.
            StoreWriteError: if it cannot be written.
        """
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO metrics (record_id, part, name, value) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (self._number(record), TEST, name, value),
            )

    def note_deployment(self, record: Record, deployment: Mapping[str, Any]) -> None:
        """Store a deployment of the network of a record to a device, as plain JSON values.

        Raises:
            RunError: if the record is not in the store.
            StoreWriteError: if it cannot be written.
        """
        with self._database.writing() as connection:
            connection.execute(
                "INSERT INTO deployments (record_id, deployment, created_at) VALUES (?, ?, ?)",
                (self._number(record), dump(deployment), now()),
            )

    def deployments(self, key: str) -> list[dict[str, Any]]:
        """Return the deployments of a candidate to devices, the oldest first, without those that cannot be read."""
        rows = self._database.query(
            "SELECT deployments.id, runs.name, deployment FROM deployments "
            "JOIN records ON records.id = record_id LEFT JOIN runs ON runs.id = run_id WHERE key = ? "
            "ORDER BY deployments.id",
            (key,),
        )
        return self._read(rows, deployment_of)

    def records(
        self, run: str | None = None, *, purpose: Purpose | None = None, all_needed: bool = True
    ) -> list[Record]:
        """Return the records of one run or of all runs, of one purpose or of all, the oldest run first.

        Within a run, records of the search come in the order of their positions, then the others in the order of
        storing.

        Args:
            run: Name of the run; None for all runs.
            purpose: Purpose of the records; None for all.
            all_needed: Whether to raise an error for damaged records; if not, they are left out with a warning.

        Raises:
            DamagedError: if a record cannot be read and all are needed.
        """
        wanted = {"runs.name": run, "purpose": purpose}
        values = tuple(value for value in wanted.values() if value is not None)
        where = " AND ".join(f"{column} = ?" for column, value in wanted.items() if value is not None)
        query = f"{TRAININGS} {'WHERE ' + where if where else ''} {_ORDER}"
        return self._read(self._database.query(query, values), self._record, all_needed=all_needed)

    def records_after(self, number: int) -> tuple[list[Record], int]:
        """Return the records stored after the record with a number, in the order of storing, and the last number.

        Records that cannot be read are left out. ``records_after(0)`` returns all records.
        """
        rows = list(self._database.query(f"{TRAININGS} WHERE records.id > ? ORDER BY records.id", (number,)))
        return self._read(rows, self._record), int(rows[-1]["id"]) if rows else number

    def version(self) -> int:
        """Return a number that changes when another process has written to the store."""
        row = self._database.first("PRAGMA data_version")
        assert row is not None  # noqa: S101
        return int(row[0])

    def summaries(self, run: str | None = None, *, metric: str | None = None) -> list[Summary]:
        """Return summaries of the records of one run or of all runs, for leaderboards, in the order of storing.

        Records that cannot be read are left out.

        Args:
            run: Name of the run; None for all runs.
            metric: Metric of the values; None for the objective of each run.

        Raises:
            InputError: if the metric is unknown.
        """
        direction = None if metric is None else self.direction_of(metric)
        values = {"run": run, "metric": metric, "direction": direction}
        order = f"{'' if run is None else 'WHERE runs.name = :run'} ORDER BY records.id"
        with contextlib.suppress(UnicodeError):
            rows = self._database.tuples(f"{SUMMARIES} {order}", values)
            if are_summaries(rows):
                return list(map(Summary._make, rows))
        return self._read(
            self._database.query(f"{NUMBERED_SUMMARIES} {order}", values), lambda row: to_summary(row[1:])
        )

    def evaluations(self, test_fingerprint: str) -> list[Evaluated]:
        """Return all evaluations on a test set that can be read, in the order of storing."""
        from tinysearch.results.predictions import Evaluated, Predictions

        def evaluated(row: sqlite3.Row) -> Evaluated:
            record = self._record(row)
            found = self._database.first(
                "SELECT labels, predicted FROM predictions LEFT JOIN test_sets ON fingerprint = ? WHERE record_id = ?",
                (test_fingerprint, row["id"]),
            )
            return Evaluated(
                run=record.run,
                key=record.key,
                name=record.name,
                origin=record.origin,
                seed=record.seed,
                fingerprint=record.fingerprint,
                held_out=record.measurement.val_accuracy is not None,
                recipe=record.recipe,
                accuracy=row["test_accuracy"],
                predictions=None if found is None else Predictions(found["labels"], found["predicted"]),
            )

        rows = self._database.query(
            f"{TRAININGS} WHERE test_fingerprint = ? AND test_accuracy IS NOT NULL ORDER BY records.id",
            (test_fingerprint,),
        )
        return self._read(rows, evaluated)

    def trainings(self, key: str, seed: int, fingerprint: str) -> list[Record]:
        """Return the search trainings in any run of a candidate with a seed on a dataset, the oldest first.

        Records that failed, were stopped early, are reused from another run, or cannot be read are left out.
        """
        rows = self._database.query(
            f"{TRAININGS} WHERE key = ? AND seed = ? AND fingerprint = ? AND purpose = 'search' AND failure IS NULL "
            f"AND reused_from IS NULL ORDER BY records.id",
            (key, seed, fingerprint),
        )
        return [one for one in self._read(rows, self._record) if one.epochs == one.recipe.get("epochs")]

    def latest(self, fingerprint: str, count: int) -> list[Record]:
        """Return the latest ``count`` trainings in any run on a dataset, the newest first.

        Records that failed, are reused from another run, or cannot be read are left out.
        """
        rows = self._database.query(
            f"{TRAININGS} WHERE fingerprint = ? AND failure IS NULL AND reused_from IS NULL "
            f"ORDER BY records.id DESC LIMIT ?",
            (fingerprint, count),
        )
        return self._read(rows, self._record)

    def training(self, run: str, key: str, seed: int, purpose: str) -> Record | None:
        """Return the training of a run with a key, seed and purpose; None if there is none.

        Raises:
            DamagedError: if the training cannot be read.
        """
        rows = self._database.query(
            f"{TRAININGS} WHERE runs.name = ? AND key = ? AND seed = ? AND purpose = ?", (run, key, seed, purpose)
        )
        return next(iter(self._read(rows, self._record, all_needed=True)), None)

    def find(self, prefix: str) -> list[Record]:
        """Return the records of the one candidate whose key begins with ``prefix``, the oldest first.

        Raises:
            CandidateError: if no candidate, or more than one, has such a key.
            DamagedError: if a record cannot be read.
        """
        where = "WHERE substr(key, 1, ?) = ?"
        values = (len(prefix), prefix)
        keys = [
            printable(str(row["key"]))
            for row in self._database.query(f"SELECT DISTINCT key FROM records {where} ORDER BY key", values)  # noqa: S608
        ]
        if not keys:
            raise CandidateError(
                f"no record's key begins with {prefix!r}; 'tinysearch leaderboard' lists the keys, and a candidate may "
                f"also be baseline:conv, baseline:separable, baseline:inception or a JSON file with an architecture; "
                f"'tinysearch leaderboard --reference' lists those that come with tinysearch"
            )
        if len(keys) > 1:
            raise CandidateError(f"{len(keys)} keys begin with {prefix!r}: {', '.join(keys[:5])}; give more digits")
        rows = self._database.query(f"{TRAININGS} {where} ORDER BY records.id", values)
        return self._read(rows, self._record, all_needed=True)

    def named(self, name: str) -> list[Record]:
        """Return the records of a hand-designed baseline with any recipe, the oldest first.

        Raises:
            DamagedError: if a record cannot be read.
        """
        rows = self._database.query(f"{TRAININGS} WHERE records.name = ? ORDER BY records.id", (name,))
        return self._read(rows, self._record, all_needed=True)

    def _number(self, record: Record) -> int:
        row = self._database.first(
            "SELECT id FROM records WHERE run_id = ? AND key = ? AND seed = ? AND purpose = ?",
            (self._run_id(record.run), record.key, record.seed, record.purpose),
        )
        if row is None:
            raise RunError(f"run {record.run!r} has no such record of {record.name}")
        return int(row["id"])

    def _record(self, row: sqlite3.Row) -> Record:
        tested = row["test_accuracy"] is not None
        return record_of(row, self._database.query(TEST_METRICS, (row["id"],)) if tested else ())
