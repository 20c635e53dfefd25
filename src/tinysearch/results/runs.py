"""The runs of a store, without their records."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeVar

from tinysearch.errors import InputError, RunError, meant
from tinysearch.results.damage import Damage, printable, refuse, skipped
from tinysearch.results.database import Database
from tinysearch.results.folders import folder, old_folder
from tinysearch.results.objective import OBJECTIVES
from tinysearch.results.record import Direction
from tinysearch.results.run import Run, objective_of
from tinysearch.results.tables import RUNS, dump, now, proposal_of, run_of

if TYPE_CHECKING:
    from typing_extensions import Self

# SQLite's name for a database in memory.
IN_MEMORY = Path(":memory:")
T = TypeVar("T")


def check_name(run: str) -> None:
    """Raise an error if the name of a run cannot be stored.

    Raises:
        RunError: if it cannot be encoded as UTF-8, such as a command-line word with bytes outside the encoding.
    """
    try:
        run.encode()
    except UnicodeEncodeError:
        raise RunError(f"the run name {run!r} is not text in UTF-8; give another `name=`") from None


class Runs:
    """The runs in a ``Database``, with its arguments and errors.

    Attributes:
        path: Path of the file as given, for messages.
        file: Absolute path of the file; None for a store in memory.
    """

    def __init__(self, path: Path, *, create: bool = False) -> None:
        self.path = path
        self.file = None if path == IN_MEMORY else path.absolute()
        self._database = Database(path, create=create)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def folder_of(self, run: str) -> Path:
        """Return the folder next to the store for the files of a run: models of its best candidates, and its lock.

        A run of an earlier version keeps its original folder.
        """
        file = self.file or self.path
        own, old = folder(file, run), old_folder(file, run)
        return old if not own.exists() and old.exists() and self.has(run) else own

    def create_run(
        self,
        name: str,
        dataset: str,
        fingerprint: str,
        settings: Mapping[str, Any],
        source: Mapping[str, Any] | None = None,
    ) -> Run:
        """Create a run and return it; see ``Run`` for the arguments.

        Raises:
            RunError: if the name is taken or cannot be stored.
        """
        check_name(name)
        with self._database.writing() as connection:
            try:
                connection.execute(
                    "INSERT INTO runs (name, dataset, fingerprint, settings, created_at, objective, direction, source) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (
                        name,
                        dataset,
                        fingerprint,
                        dump(settings),
                        now(),
                        *objective_of(settings),
                        None if source is None else dump(dict(source)),
                    ),
                )
            except sqlite3.IntegrityError:
                raise RunError(
                    f"a run named {name!r} is in the store already; continue it with `resume=True`, or "
                    f"give another `name=`"
                ) from None
        return self.run(name)

    def has(self, name: str) -> bool:
        """Whether a run with a name exists."""
        return self._database.first("SELECT id FROM runs WHERE name = ?", (name,)) is not None

    def check_names(self, names: Iterable[str]) -> None:
        """Raise an error if a run with one of the names does not exist.

        Raises:
            RunError: if a name is unknown.
        """
        for name in names:
            if not self.has(name):
                rows = self._database.query("SELECT name FROM runs ORDER BY id")
                names = [printable(str(row["name"])) for row in rows]
                # Unlike Path, os.path accepts names that are not valid for files.
                is_file = os.path.isfile(name)  # noqa: PTH113
                hint = f"; to read a file, give `store={name!r}`" if is_file else meant(name, names)
                raise RunError(
                    f"the store {self.path} has no run named {name!r}; its runs: {', '.join(names) or 'none yet'}{hint}"
                )

    def run(self, name: str) -> Run:
        """Return a run.

        Raises:
            RunError: if the name is unknown.
            DamagedError: if the run cannot be read.
        """
        self.check_names([name])
        (run,) = self._read(self._database.query(f"{RUNS} WHERE name = ?", (name,)), run_of, all_needed=True)
        return run

    def runs(self) -> list[Run]:
        """Return all runs that can be read, the oldest first."""
        return self._read(self._database.query(f"{RUNS} ORDER BY id"), run_of)

    def note_settings(self, name: str, settings: Mapping[str, Any]) -> None:
        """Store the current settings of a run, some of which may change when it is resumed."""
        with self._database.writing() as connection:
            connection.execute("UPDATE runs SET settings = ? WHERE name = ?", (dump(settings), name))

    def reopen(self, name: str) -> None:
        """Mark a run as unfinished, because it continues."""
        with self._database.writing() as connection:
            connection.execute("UPDATE runs SET finished_at = NULL WHERE name = ?", (name,))

    def note_rejections(self, name: str, rejections: Mapping[str, int]) -> None:
        """Store the number of candidates, by reason, that a run has rejected after its last record; see ``Run``."""
        with self._database.writing() as connection:
            connection.execute("UPDATE runs SET rejections = ? WHERE name = ?", (dump(dict(rejections)), name))

    def note_source(self, name: str, source: Mapping[str, Any]) -> None:
        """Store the current source of the data of a run, with an equal fingerprint; see ``Run``."""
        with self._database.writing() as connection:
            connection.execute("UPDATE runs SET source = ? WHERE name = ?", (dump(dict(source)), name))

    def finish(self, name: str) -> None:
        """Mark a run as finished, because all its stages have ended; a finished run keeps its time."""
        with self._database.writing() as connection:
            connection.execute("UPDATE runs SET finished_at = ? WHERE name = ? AND finished_at IS NULL", (now(), name))

    def extent(self, name: str) -> tuple[int, int]:
        """Return the number of leading positions of a run that have records, and the number of its revalidations.

        Positions after a gap are not counted: when the run continues, other trainings may come before them.
        """
        rows = self._database.query(
            "SELECT position, purpose FROM records JOIN runs ON runs.id = run_id WHERE runs.name = ?", (name,)
        )
        found = [(row["position"], row["purpose"]) for row in rows]
        positions = {position for position, _ in found}
        trials = next(count for count in range(len(positions) + 1) if count not in positions)
        return trials, sum(purpose == "revalidation" for _, purpose in found)

    def note_proposal(self, run: str, position: int, first: int, later: Sequence[int]) -> None:
        """Store which records a proposal knew: those of all positions before ``first``, and of positions ``later``."""
        with self._database.writing() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO proposals (run_id, position, first, later) VALUES (?, ?, ?, ?)",
                (self._run_id(run), position, first, dump(list(later))),
            )

    def proposals(self, run: str) -> dict[int, tuple[int, tuple[int, ...]]]:
        """Return which records the proposals of a run knew, by position; see ``note_proposal``.

        Raises:
            DamagedError: if a row cannot be read.
        """
        rows = self._database.query(
            "SELECT proposals.run_id AS id, runs.name, position, first, later FROM proposals "
            "JOIN runs ON runs.id = run_id WHERE runs.name = ? ORDER BY position",
            (run,),
        )
        return dict(self._read(rows, proposal_of, all_needed=True))

    def common_objective(self, runs: Collection[str] = ()) -> str | None:
        """Return the common objective of some runs, or of all if none is named; None if they have different ones.

        Only searches count: reproductions have no objective of their own, and all objectives are measured for them.
        """
        # The same as ``Run.is_search``; runs with damaged settings do not count.
        rows = self._database.query(
            "SELECT name, objective FROM runs "
            "WHERE CASE WHEN json_valid(settings) THEN json_type(settings, '$.trials') IS NOT NULL END"
        )
        found = {row["objective"] for row in rows if not runs or row["name"] in runs}
        return str(found.pop()) if len(found) == 1 else None

    def direction_of(self, metric: str) -> Direction:
        """Return whether a larger or a smaller value of a metric is better.

        Raises:
            InputError: if it is neither a known objective nor the objective of a run.
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

    def _read(
        self, rows: Iterable[sqlite3.Row], make: Callable[[sqlite3.Row], T], *, all_needed: bool = False
    ) -> list[T]:
        """Return the objects made from rows; warn about damaged rows, or raise an error if all are needed."""
        found: list[T] = []
        damages: list[Damage] = []
        for row in rows:
            try:
                found.append(make(row))
            except ValueError as error:
                damages.append(Damage(_named(row), str(error)))
        if damages:
            # If the structure of the file is damaged, rows may be missing unnoticed.
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
