"""The store: every record of every run, in one SQLite file.

The journal is a write-ahead log, so a second process can read while a run writes; each record is one transaction,
synced to the disk before ``append`` returns.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from tinysearch.errors import CandidateError, RunError
from tinysearch.results.database import Database
from tinysearch.results.record import Measurement, Record, Run
from tinysearch.results.summary import Summary
from tinysearch.space.architecture import Architecture, digest
from tinysearch.space.cost import Cost

if TYPE_CHECKING:
    # They need NumPy, which a leaderboard does not.
    from tinysearch.results.predictions import Evaluated, Predictions

DEFAULT_PATH = Path("runs", "tinysearch.db")
# As SQLite calls a database that is nowhere but here.
IN_MEMORY = Path(":memory:")
_ORDER = "ORDER BY run_id, position IS NULL, position, id"


def default_path() -> Path:
    """Return ``$TINYSEARCH_STORE``, or ``runs/tinysearch.db`` in the working directory."""
    return Path(os.environ.get("TINYSEARCH_STORE") or DEFAULT_PATH)


class Store:
    """Records on disk, in a ``Database`` of the same arguments and errors."""

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

        It has the run's name, or where that is no plain name for a folder, a digest of it.
        """
        plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run) is not None
        return self.path.parent / f"{self.path.stem}-models" / (run if plain else f"run-{digest(run)}")

    def create_run(self, name: str, dataset: str, fingerprint: str, settings: Mapping[str, Any]) -> Run:
        """Make a run.

        Raises:
            RunError: if the name is taken.
        """
        with self._database.writing() as connection:
            try:
                connection.execute(
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
        hint = f"; a file is read by --store {name}" if Path(name).is_file() else ""
        raise RunError(f"the store {self.path} has no run named {name!r}; its runs: {known}{hint}")

    def runs(self) -> list[Run]:
        """Return all runs, oldest first."""
        rows = self._database.query("SELECT * FROM runs ORDER BY id")
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

    def add(self, runs: Iterable[Run], records: Iterable[Record]) -> None:
        """Store runs and records of another store, in one transaction.

        Raises:
            StoreWriteError: if they cannot be written, or a run of one of their names is here already.
        """
        with self._database.writing() as connection:
            connection.executemany(
                "INSERT INTO runs (name, dataset, fingerprint, settings, rejections, created_at, finished_at) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        run.name,
                        run.dataset,
                        run.fingerprint,
                        _dump(run.settings),
                        _dump(run.rejections),
                        run.created_at,
                        run.finished_at,
                    )
                    for run in runs
                ],
            )
            for record in records:
                self._insert(connection, record)

    def append(self, record: Record, predictions: Predictions | None = None) -> None:
        """Store a record in one transaction, and what its network predicted on the test images.

        A training that was recorded already (same run, candidate, seed and purpose) is not stored twice.

        Raises:
            StoreWriteError: if it cannot be written, a full disk for example; the store is as it was before.
        """
        with self._database.writing() as connection:
            number = self._insert(connection, record)
            if number is not None and predictions is not None:
                connection.execute(
                    "INSERT INTO test_sets (fingerprint, labels) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (record.test_fingerprint, predictions.labels),
                )
                connection.execute(
                    "INSERT INTO predictions (record_id, predicted) VALUES (?, ?)", (number, predictions.predicted)
                )

    def reopen(self, name: str, settings: Mapping[str, Any]) -> None:
        """Note that a run goes on, with its settings as they are now."""
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET finished_at = NULL, rejections = '{}', settings = ? WHERE name = ?",
                (_dump(settings), name),
            )

    def finish(self, name: str, settings: Mapping[str, Any], rejections: Mapping[str, int]) -> None:
        """Note that a run has come to its end, with its settings as they are now.

        ``rejections`` are those after the last record.
        """
        with self._database.writing() as connection:
            connection.execute(
                "UPDATE runs SET finished_at = ?, settings = ?, rejections = ? WHERE name = ?",
                (_now(), _dump(settings), _dump(dict(rejections)), name),
            )

    def records(self, run: str | None = None) -> list[Record]:
        """Return the records of one run, or of all, oldest run first.

        Those of a search come in the order of their positions, then evaluations as they were stored.
        """
        where, values = ("", ()) if run is None else ("WHERE run = ?", (run,))
        sql = f"SELECT * FROM trainings {where} {_ORDER}"  # noqa: S608
        return [_record(row) for row in self._database.query(sql, values)]

    def summaries(self, run: str | None = None) -> list[Summary]:
        """Return what a leaderboard needs of the records of one run, or of all, as they were stored."""
        where, values = ("", ()) if run is None else ("WHERE run = ?", (run,))
        sql = f"SELECT {', '.join(Summary._fields)} FROM summaries {where} ORDER BY id"  # noqa: S608
        return list(map(Summary._make, self._database.query(sql, values, row=None)))

    def evaluations(self, test_fingerprint: str) -> list[Evaluated]:
        """Return all evaluations on some test images, as they were stored."""
        from tinysearch.results.predictions import Evaluated, Predictions

        rows = self._database.query(
            """
            SELECT trainings.*, labels, predicted FROM trainings
            LEFT JOIN predictions ON predictions.record_id = trainings.id
            LEFT JOIN test_sets ON test_sets.fingerprint = trainings.test_fingerprint
            WHERE test_fingerprint = ? AND test_accuracy IS NOT NULL ORDER BY id
            """,
            (test_fingerprint,),
        )
        return [
            Evaluated(
                run=row["run"],
                key=row["key"],
                name=row["name"],
                origin=row["origin"],
                seed=row["seed"],
                fingerprint=row["fingerprint"],
                held_out=row["val_accuracy"] is not None,
                recipe=json.loads(row["recipe"]),
                accuracy=row["test_accuracy"],
                predictions=None if row["predicted"] is None else Predictions(row["labels"], row["predicted"]),
            )
            for row in rows
        ]

    def trainings(self, key: str, seed: int, fingerprint: str) -> list[Record]:
        """Return the trainings of searches, in any run, of a candidate with a seed on some data, the oldest first.

        Failures, trainings that were stopped early, and what was itself reused are left out.
        """
        rows = self._database.query(
            """
            SELECT * FROM trainings
            WHERE key = ? AND seed = ? AND fingerprint = ? AND purpose = 'search' AND failure IS NULL
                AND reused_from IS NULL AND epochs = json_extract(recipe, '$.epochs')
            ORDER BY id
            """,
            (key, seed, fingerprint),
        )
        return [_record(row) for row in rows]

    def training(self, run: str, key: str, seed: int, purpose: str) -> Record | None:
        """Return one training of a run; None if it has none with this key, seed and purpose."""
        row = self._database.query(
            "SELECT * FROM trainings WHERE run = ? AND key = ? AND seed = ? AND purpose = ?", (run, key, seed, purpose)
        ).fetchone()
        return None if row is None else _record(row)

    def find(self, prefix: str) -> list[Record]:
        """Return the records of the one candidate whose key begins with ``prefix``, oldest first.

        Raises:
            CandidateError: if no candidate, or more than one, has such a key.
        """
        rows = self._database.query(
            "SELECT * FROM trainings WHERE substr(key, 1, ?) = ? ORDER BY id",
            (len(prefix), prefix),
        ).fetchall()
        keys = sorted({row["key"] for row in rows})
        if not keys:
            raise CandidateError(
                f"no record's key begins with {prefix!r}; 'tinysearch leaderboard' lists the keys, and a candidate may "
                f"also be baseline:conv, baseline:separable, baseline:inception or a JSON file with an architecture; "
                f"the results that come with tinysearch are read with --reference"
            )
        if len(keys) > 1:
            raise CandidateError(f"{len(keys)} keys begin with {prefix!r}: {', '.join(keys[:5])}; give more digits")
        return [_record(row) for row in rows]

    def named(self, name: str) -> list[Record]:
        """Return the records of a hand-designed baseline, whatever the recipe, oldest first."""
        return [
            _record(row) for row in self._database.query("SELECT * FROM trainings WHERE name = ? ORDER BY id", (name,))
        ]

    def _insert(self, connection: sqlite3.Connection, record: Record) -> int | None:
        """Insert a record and return its number; None if it was recorded already."""
        summary = Summary.of(record)
        stored = connection.execute(
            """
            INSERT INTO records (
                run_id, key, name, origin, purpose, trial, position, seed, reused_from, other_environment, params,
                non_trainable_params, macs, peak_activation_bytes, epochs, val_accuracy, val_loss, test_accuracy,
                test_fingerprint, failure, train_seconds, layers, rejections, created_at
            ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (run_id, key, seed, purpose) DO NOTHING
            """,
            (
                self._run_id(record.run),
                record.key,
                record.name,
                record.origin,
                record.purpose,
                record.trial,
                record.position,
                record.seed,
                record.reused_from,
                record.other_environment,
                summary.params,
                summary.non_trainable_params,
                summary.macs,
                summary.peak_activation_bytes,
                summary.epochs,
                summary.val_accuracy,
                summary.val_loss,
                record.test_accuracy,
                record.test_fingerprint,
                record.measurement.failure,
                summary.train_seconds,
                summary.layers,
                _dump(dict(record.rejections)),
                record.created_at or _now(),
            ),
        )
        if stored.rowcount == 0:
            return None
        connection.execute(
            "INSERT INTO details (record_id, architecture, cost, recipe, measurement, provenance) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                stored.lastrowid,
                _dump(record.architecture.to_dict()),
                _dump(record.cost.to_dict()),
                _dump(record.recipe),
                _dump(record.measurement.to_dict()),
                _dump(record.provenance),
            ),
        )
        return stored.lastrowid

    def _run_id(self, name: str) -> int:
        row = self._database.query("SELECT id FROM runs WHERE name = ?", (name,)).fetchone()
        if row is None:
            raise RunError(f"the store {self.path} has no run named {name!r}")
        return int(row["id"])


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
        reused_from=row["reused_from"],
        other_environment=bool(row["other_environment"]),
        rejections=json.loads(row["rejections"]),
        created_at=row["created_at"],
    )


def _dump(data: Any) -> str:
    return json.dumps(data, sort_keys=True, allow_nan=False)


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")
