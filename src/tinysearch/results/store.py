"""The store: every record of every run, in one SQLite file.

The journal is a write-ahead log, so a second process can read while a run writes; each record is one transaction,
synced to the disk before ``append`` returns.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from tinysearch.errors import CandidateError, InputError, RunError
from tinysearch.results.damage import Damage, printable, refuse, skipped
from tinysearch.results.database import Database
from tinysearch.results.folders import folder, old_folder
from tinysearch.results.objective import OBJECTIVES
from tinysearch.results.record import Direction, Purpose, Record, Run, objective_of
from tinysearch.results.rows import are_summaries, to_summary
from tinysearch.results.summary import Summary
from tinysearch.results.tables import (
    NUMBERED_SUMMARIES,
    RUNS,
    SUMMARIES,
    TEST_METRICS,
    TRAININGS,
    dump,
    insert_record,
    insert_run,
    now,
    proposal_of,
    record_of,
    run_of,
)
from tinysearch.runtime.paths import local

if TYPE_CHECKING:
    # They need NumPy, which a leaderboard does not.
    from tinysearch.results.predictions import Evaluated, Predictions

DEFAULT_PATH = Path("runs", "tinysearch.db")
# As SQLite calls a database that is nowhere but here.
IN_MEMORY = Path(":memory:")
_ORDER = "ORDER BY run_id, position IS NULL, position, records.id"

T = TypeVar("T")


def default_path() -> Path:
    """Return ``$TINYSEARCH_STORE``, or ``runs/tinysearch.db`` in the working directory.

    Raises:
        InputError: if the variable holds a URL.
    """
    named = os.environ.get("TINYSEARCH_STORE")
    return local(named, "TINYSEARCH_STORE") if named else DEFAULT_PATH


def check_name(run: str) -> None:
    """Refuse the name of a run that cannot be stored.

    Raises:
        RunError: if it is no text, as words on the command line are whose bytes are not in its encoding.
    """
    try:
        run.encode()
    except UnicodeEncodeError:
        raise RunError(f"the name {run!r} of a run is not text in UTF-8; give another --name") from None


class Store:
    """Records on disk, in a ``Database`` of the same arguments and errors.

    A row that is damaged is left out with a ``TinySearchWarning`` that names it where the others are of use without
    it, and is a ``DamagedError`` where all are needed.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self._database = Database(path, create=create)

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def folder_of(self, run: str) -> Path:
        """Return the folder beside the store for the files of a run: models of its best few candidates, and its lock.

        A run of an earlier version keeps the folder that it was begun with.
        """
        own, old = folder(self.path, run), old_folder(self.path, run)
        return old if not own.exists() and old.exists() and self.has(run) else own

    def create_run(self, name: str, dataset: str, fingerprint: str, settings: Mapping[str, Any]) -> Run:
        """Make a run.

        Raises:
            RunError: if the name is taken, or is no text.
        """
        check_name(name)
        with self._database.writing() as connection:
            try:
                connection.execute(
                    "INSERT INTO runs (name, dataset, fingerprint, settings, created_at, objective, direction) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (name, dataset, fingerprint, dump(settings), now(), *objective_of(settings)),
                )
            except sqlite3.IntegrityError:
                raise RunError(
                    f"a run named {name!r} is in the store already; continue it with --resume, or give another --name"
                ) from None
        return self.run(name)

    def has(self, name: str) -> bool:
        """Whether there is a run of a name."""
        return self._database.first("SELECT id FROM runs WHERE name = ?", (name,)) is not None

    def check_names(self, names: Iterable[str]) -> None:
        """Check that there are runs of some names.

        Raises:
            RunError: if there is none of one of them.
        """
        for name in names:
            if not self.has(name):
                rows = self._database.query("SELECT name FROM runs ORDER BY id")
                known = ", ".join(printable(str(row["name"])) for row in rows) or "none yet"
                hint = f"; a file is read by --store {name}" if Path(name).is_file() else ""
                raise RunError(f"the store {self.path} has no run named {name!r}; its runs: {known}{hint}")

    def run(self, name: str) -> Run:
        """Return a run.

        Raises:
            RunError: if there is none of that name.
            DamagedError: if it cannot be read.
        """
        self.check_names([name])
        (run,) = self._read(self._database.query(f"{RUNS} WHERE name = ?", (name,)), run_of, all_needed=True)
        return run

    def runs(self) -> list[Run]:
        """Return all runs that can be read, oldest first."""
        return self._read(self._database.query(f"{RUNS} ORDER BY id"), run_of)

    def add(self, runs: Iterable[Run], records: Iterable[Record]) -> None:
        """Store runs and records of another store, in one transaction.

        Raises:
            StoreWriteError: if they cannot be written, or a run of one of their names is here already.
        """
        with self._database.writing() as connection:
            for run in runs:
                insert_run(connection, run)
            numbers = {row["name"]: row["id"] for row in self._database.query("SELECT id, name FROM runs")}
            for record in records:
                insert_record(connection, numbers[record.run], record)

    def append(self, record: Record, predictions: Predictions | None = None) -> None:
        """Store a record in one transaction, and what its network predicted on the test images.

        A training that was recorded already (same run, candidate, seed and purpose) is not stored twice.

        Raises:
            StoreWriteError: if it cannot be written, a full disk for example; the store is as it was before.
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

    def note_proposal(self, run: str, position: int, first: int, later: Sequence[int]) -> None:
        """Note what a proposal knew: the records of the positions before ``first``, and of some later ones."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO proposals (run_id, position, first, later) VALUES (?, ?, ?, ?)",
                (self._run_id(run), position, first, dump(list(later))),
            )

    def proposals(self, run: str) -> dict[int, tuple[int, tuple[int, ...]]]:
        """Return what the proposals of a run knew, by position, as far as it was noted.

        Raises:
            DamagedError: if it cannot be read.
        """
        rows = self._database.query(
            "SELECT proposals.run_id AS id, runs.name, position, first, later FROM proposals "
            "JOIN runs ON runs.id = run_id WHERE runs.name = ? ORDER BY position",
            (run,),
        )
        return dict(self._read(rows, proposal_of, all_needed=True))

    def reopen(self, name: str, settings: Mapping[str, Any]) -> None:
        """Note that a run goes on, with its settings as they are now."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET finished_at = NULL, rejections = '{}', settings = ? WHERE name = ?",
                (dump(settings), name),
            )

    def finish(self, name: str, settings: Mapping[str, Any], rejections: Mapping[str, int]) -> None:
        """Note that a run has come to its end, with its settings as they are now.

        ``rejections`` are those after the last record.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET finished_at = ?, settings = ?, rejections = ? WHERE name = ?",
                (now(), dump(settings), dump(dict(rejections)), name),
            )

    def records(
        self, run: str | None = None, *, purpose: Purpose | None = None, all_needed: bool = True
    ) -> list[Record]:
        """Return the records of one run, or of all, of one purpose, or of all, oldest run first.

        Those of a search come in the order of their positions, then evaluations as they were stored.

        Raises:
            DamagedError: if one of them cannot be read, unless those that can be are enough.
        """
        wanted = {"runs.name": run, "purpose": purpose}
        values = tuple(value for value in wanted.values() if value is not None)
        where = " AND ".join(f"{column} = ?" for column, value in wanted.items() if value is not None)
        query = f"{TRAININGS} {'WHERE ' + where if where else ''} {_ORDER}"
        return self._read(self._database.query(query, values), self._record, all_needed=all_needed)

    def records_after(self, number: int) -> tuple[list[Record], int]:
        """Return the records stored after the one of a number, as they were stored, and the number of the last.

        Those that cannot be read are left out. ``records_after(0)`` are all.
        """
        rows = list(self._database.query(f"{TRAININGS} WHERE records.id > ? ORDER BY records.id", (number,)))
        return self._read(rows, self._record), int(rows[-1]["id"]) if rows else number

    def version(self) -> int:
        """Return a number that is another one as soon as another process has written to the store."""
        row = self._database.first("PRAGMA data_version")
        assert row is not None  # noqa: S101
        return int(row[0])

    def summaries(self, run: str | None = None, *, metric: str | None = None) -> list[Summary]:
        """Return what a leaderboard needs of the records of one run, or of all, as they were stored.

        Those that cannot be read are left out.

        Args:
            run: Name of the run; all if none is named.
            metric: What their values are to be of; None for the objective of the run of each.

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

    def common_objective(self, runs: Collection[str] = ()) -> str | None:
        """Return the objective of some runs, or of all if none is named; None if they have different ones.

        It is that of searches. What reproduces or evaluates has none, and is measured by every one.
        """
        rows = self._database.query("SELECT name, objective FROM runs WHERE instr(settings, '\"trials\"')")
        found = {row["objective"] for row in rows if not runs or row["name"] in runs}
        return str(found.pop()) if len(found) == 1 else None

    def direction_of(self, metric: str) -> Direction:
        """Return whether a larger or a smaller value of a metric is better.

        Raises:
            InputError: if it is neither a known objective nor that of a run.
        """
        runs = {
            row["objective"]: row["direction"]
            for row in self._database.query("SELECT DISTINCT objective, direction FROM runs")
        }
        known: dict[str, Direction] = {**runs, **{name: one.direction for name, one in OBJECTIVES.items()}}
        if metric not in known:
            names = ", ".join([*OBJECTIVES, *sorted(printable(str(name)) for name in runs.keys() - OBJECTIVES.keys())])
            raise InputError(f"a metric is one of {names}; got {metric!r}")
        return known[metric]

    def evaluations(self, test_fingerprint: str) -> list[Evaluated]:
        """Return all evaluations on some test images that can be read, as they were stored."""
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
        """Return the trainings of searches, in any run, of a candidate with a seed on some data, the oldest first.

        Failures, trainings that were stopped early, what was itself reused, and what cannot be read are left out.
        """
        rows = self._database.query(
            f"{TRAININGS} WHERE key = ? AND seed = ? AND fingerprint = ? AND purpose = 'search' AND failure IS NULL "
            f"AND reused_from IS NULL ORDER BY records.id",
            (key, seed, fingerprint),
        )
        return [one for one in self._read(rows, self._record) if one.epochs == one.recipe.get("epochs")]

    def training(self, run: str, key: str, seed: int, purpose: str) -> Record | None:
        """Return one training of a run; None if it has none with this key, seed and purpose.

        Raises:
            DamagedError: if it cannot be read.
        """
        rows = self._database.query(
            f"{TRAININGS} WHERE runs.name = ? AND key = ? AND seed = ? AND purpose = ?", (run, key, seed, purpose)
        )
        return next(iter(self._read(rows, self._record, all_needed=True)), None)

    def find(self, prefix: str) -> list[Record]:
        """Return the records of the one candidate whose key begins with ``prefix``, oldest first.

        Raises:
            CandidateError: if no candidate, or more than one, has such a key.
            DamagedError: if one of them cannot be read.
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
                f"the results that come with tinysearch are read with --reference"
            )
        if len(keys) > 1:
            raise CandidateError(f"{len(keys)} keys begin with {prefix!r}: {', '.join(keys[:5])}; give more digits")
        rows = self._database.query(f"{TRAININGS} {where} ORDER BY records.id", values)
        return self._read(rows, self._record, all_needed=True)

    def named(self, name: str) -> list[Record]:
        """Return the records of a hand-designed baseline, whatever the recipe, oldest first.

        Raises:
            DamagedError: if one of them cannot be read.
        """
        rows = self._database.query(f"{TRAININGS} WHERE records.name = ? ORDER BY records.id", (name,))
        return self._read(rows, self._record, all_needed=True)

    def _record(self, row: sqlite3.Row) -> Record:
        tested = row["test_accuracy"] is not None
        return record_of(row, self._database.query(TEST_METRICS, (row["id"],)) if tested else ())

    def _read(
        self, rows: Iterable[sqlite3.Row], make: Callable[[sqlite3.Row], T], *, all_needed: bool = False
    ) -> list[T]:
        """Return what is made of rows; warn of those that are damaged, or refuse them where all are needed."""
        found: list[T] = []
        damages: list[Damage] = []
        for row in rows:
            try:
                found.append(make(row))
            except ValueError as error:
                damages.append(Damage(_named(row), str(error)))
        if damages:
            # Where the file has no order left, rows may be missing without a sign of it.
            self._database.check()
        (refuse if all_needed else skipped)(self.path, damages)
        return found

    def _run_id(self, name: str) -> int:
        row = self._database.first("SELECT id FROM runs WHERE name = ?", (name,))
        if row is None:
            raise RunError(f"the store {self.path} has no run named {name!r}")
        return int(row["id"])


def _named(row: sqlite3.Row) -> str:
    if "run" in row.keys():  # noqa: SIM118
        return f"record {row['id']} of run {row['run']!r}"
    return f"run {row['name']!r}, number {row['id']}"
