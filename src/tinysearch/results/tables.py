"""Conversion of runs and records to and from rows of the store's tables."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

from tinysearch.errors import RunError
from tinysearch.results.record import ACCURACY, INT8_ACCURACY, Record
from tinysearch.results.rows import parsed, to_record, to_run
from tinysearch.results.run import Run, objective_of
from tinysearch.results.summary import Summary

RUNS = "SELECT id, name, dataset, fingerprint, settings, rejections, created_at, finished_at, source FROM runs"
_JSON_OF_RUN = ("settings", "rejections")

# Left joins also find records whose run or details are lost, so that they are reported as damaged.
_RECORDS = "FROM records LEFT JOIN runs ON runs.id = records.run_id"
# The parts of the data that metrics are measured on.
VALIDATION, TEST = "validation", "test"


def _value(part: str, accuracy: str) -> str:
    """Return SQL for a record's value of the requested metric, or of its run's objective if none is requested."""
    return f"""
        CASE coalesce(:metric, runs.objective) WHEN '{ACCURACY}' THEN records.{accuracy} ELSE (
            SELECT value FROM metrics
            WHERE record_id = records.id AND part = '{part}' AND name = coalesce(:metric, runs.objective)
        ) END
    """  # noqa: S608


_COMPUTED = {
    "run": "runs.name AS run",
    "dataset": "runs.dataset",
    "fingerprint": "runs.fingerprint",
    "objective": "coalesce(:metric, runs.objective)",
    "direction": "coalesce(:direction, runs.direction)",
    "int8_accuracy": f"""
        (SELECT value FROM metrics WHERE record_id = records.id AND part = '{TEST}' AND name = '{INT8_ACCURACY}')
    """,  # noqa: S608
    "value": _value(VALIDATION, "val_accuracy"),
    "test_value": _value(TEST, "test_accuracy"),
}
_SUMMARY = ", ".join(_COMPUTED.get(name, f"records.{name}") for name in Summary._fields)
# Takes the parameters :metric and :direction; None and None for the objective of each run.
SUMMARIES = f"SELECT {_SUMMARY} {_RECORDS}"
NUMBERED_SUMMARIES = f"SELECT records.id, {_SUMMARY} {_RECORDS}"
TRAININGS = f"""
    SELECT records.id, runs.name AS run, key, records.name, origin, purpose, trial, position, seed, dataset,
        fingerprint, architecture, cost, recipe, measurement, test_accuracy, test_fingerprint, provenance, reused_from,
        other_environment, records.rejections, objective, direction, records.created_at
    {_RECORDS} LEFT JOIN details ON details.record_id = records.id
"""
_JSON_OF_RECORD = ("architecture", "cost", "recipe", "measurement", "provenance", "rejections")


def run_of(row: sqlite3.Row) -> Run:
    """Return the run in a row of ``RUNS``.

    Raises:
        ValueError: if the row is damaged.
    """
    columns = _JSON_OF_RUN if row["source"] is None else (*_JSON_OF_RUN, "source")
    return to_run(_plain(row, columns))


TEST_METRICS = f"SELECT name, value FROM metrics WHERE part = '{TEST}' AND record_id = ?"  # noqa: S608


def record_of(row: sqlite3.Row, test_metrics: Iterable[sqlite3.Row] = ()) -> Record:
    """Return the record in a row of ``TRAININGS`` and its rows of ``TEST_METRICS``.

    Raises:
        ValueError: if a row is damaged.
    """
    plain = _plain(row, _JSON_OF_RECORD)
    plain["test_metrics"] = {str(name): value for name, value in test_metrics}
    if plain["other_environment"] in (0, 1):
        plain["other_environment"] = bool(plain["other_environment"])
    return to_record(plain)


def proposal_of(row: sqlite3.Row) -> tuple[int, tuple[int, tuple[int, ...]]]:
    """Return the position in a row of proposals, and the records that the proposal knew, see ``Runs.note_proposal``.

    Raises:
        ValueError: if the row is damaged.
    """
    later = parsed(row["later"], "later positions")
    numbers = [row["position"], row["first"], *(later if isinstance(later, list) else [None])]
    if any(type(number) is not int or not 0 <= number < 2**63 for number in numbers):
        raise ValueError("the positions that the proposal knew are invalid")
    return row["position"], (row["first"], tuple(later))


def deployment_of(row: sqlite3.Row) -> dict[str, Any]:
    """Return the deployment in a row of deployments.

    Raises:
        ValueError: if the row is damaged.
    """
    found = parsed(row["deployment"], "deployment")
    if not isinstance(found, dict) or not isinstance(found.get("target"), str):
        raise ValueError("its deployment has no target")
    return found


def insert_run(connection: sqlite3.Connection, run: Run) -> None:
    """Insert a run.

    Raises:
        sqlite3.IntegrityError: if the name is taken.
    """
    connection.execute(
        "INSERT INTO runs (name, dataset, fingerprint, settings, rejections, created_at, finished_at, objective, "
        "direction, source) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            run.name,
            run.dataset,
            run.fingerprint,
            dump(run.settings),
            dump(run.rejections),
            run.created_at,
            run.finished_at,
            *objective_of(run.settings),
            None if run.source is None else dump(dict(run.source)),
        ),
    )


def insert_record(connection: sqlite3.Connection, run_id: int, record: Record) -> int | None:
    """Insert a record and return its number; None if it is in the store already."""
    summary = Summary.of(record)
    stored = connection.execute(
        """
        INSERT INTO records (
            run_id, key, name, origin, purpose, trial, position, seed, reused_from, other_environment, params,
            non_trainable_params, macs, peak_activation_bytes, flash_bytes, epochs, val_accuracy, val_loss,
            test_accuracy, test_fingerprint, failure, train_seconds, layers, rejections, created_at
        ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (run_id, key, seed, purpose) DO NOTHING
        """,
        (
            run_id,
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
            summary.flash_bytes,
            summary.epochs,
            summary.val_accuracy,
            summary.val_loss,
            record.test_accuracy,
            record.test_fingerprint,
            record.measurement.failure,
            summary.train_seconds,
            summary.layers,
            dump(dict(record.rejections)),
            record.created_at or now(),
        ),
    )
    if stored.rowcount == 0:
        return None
    connection.execute(
        "INSERT INTO details (record_id, architecture, cost, recipe, measurement, provenance) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            stored.lastrowid,
            dump(record.architecture.to_dict()),
            dump(record.cost.to_dict()),
            dump(record.recipe),
            dump(record.measurement.to_dict()),
            dump(record.provenance),
        ),
    )
    # Accuracy has columns of its own.
    connection.executemany(
        "INSERT INTO metrics (record_id, part, name, value) VALUES (?, ?, ?, ?)",
        [
            (stored.lastrowid, part, name, value)
            for part, metrics in ((VALIDATION, record.metrics), (TEST, record.test_metrics))
            for name, value in metrics.items()
            if name != ACCURACY
        ],
    )
    return stored.lastrowid


def dump(data: Any) -> str:
    """Return the JSON text of plain values.

    Raises:
        ValueError: if a number is not finite.
        RunError: if a text is not valid Unicode, such as the path of a file whose name is not UTF-8.
    """
    text = json.dumps(data, sort_keys=True, allow_nan=False)
    if "\\ud" in text:
        # A lone surrogate, which stands for a byte that is not UTF-8, could not be read again.
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            whole = error.object[: error.end].rpartition('"')[2] + error.object[error.end :].partition('"')[0]
            raise RunError(
                f"{whole!r} is not valid in UTF-8, so it cannot be stored; rename the file, folder or class"
            ) from None
    return text


def now() -> str:
    """Return the current time, ISO 8601 in UTC."""
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds")


def _plain(row: sqlite3.Row, json_columns: tuple[str, ...]) -> dict[str, Any]:
    plain = dict(zip(row.keys(), row, strict=True))
    del plain["id"]
    return {**plain, **{name: parsed(row[name], name) for name in json_columns}}
