"""Kills a run again and again, with all its processes, and compares what comes out with a run left in peace.

python tests/reliability/kills.py --kills 500 --workers 2
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import itertools
import os
import random
import re
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from tinysearch.data.loading import load
from tinysearch.results.record import Record
from tinysearch.results.store import Store

# Most seconds of a kill from the start of a process, from its first training, and from its first record.
LATEST = {"start": 3.0, "training": 2.0, "record": 2.0}
# So many kills are few: the first ones come in each kind of instant, while of many every kind has some by chance.
FEW = 10
TINYSEARCH = (sys.executable, "-m", "tinysearch")


@dataclass
class Report:
    """What was seen.

    Args:
        kills: How often the run was killed.
        workers: How many trainings it had under way at a time.
        trials: How many trials it had at its end.
        idle: Kills before the first training of a process had begun.
        training: Kills while at least one training was under way.
        recorded: Kills of a process that had stored a record.
        problems: What should not have been; empty if all is well.
    """

    kills: int
    workers: int
    trials: int = 0
    idle: int = 0
    training: int = 0
    recorded: int = 0
    problems: list[str] = field(default_factory=list)


def carry_through(
    folder: Path,
    kills: int,
    workers: int,
    seed: int,
    *,
    images: int | None = None,
    space: Path | None = None,
    program: Sequence[str] = TINYSEARCH,
) -> Report:
    """Kill a run at random instants, resume it each time, let it end, and compare it with an undisturbed one.

    Args:
        folder: For stores and logs.
        kills: How often the run is killed.
        workers: How many trainings it has under way at a time.
        seed: Of the instants.
        images: How many images it trains on; by default all there are.
        space: A space file; by default it searches the whole space.
        program: Starts the command line.
    """
    rng = random.Random(seed)  # noqa: S311
    report = Report(kills, workers)
    disturbed, peaceful = folder / "disturbed.db", folder / "peaceful.db"
    # As a file, the digits are there without loading scikit-learn in each of the lives.
    digits = load("digits").train
    np.savez(folder / "images.npz", x_train=digits.pixels[:images], y_train=digits.labels[:images])
    ahead = 2 * workers if kills < FEW else 4
    begin = functools.partial(_Life, workers=workers, space=space, program=program)
    for number, kind in enumerate(_kinds(kills, rng)):
        before = stored(disturbed)
        life = begin(disturbed, len(before) + ahead, folder / f"{number}.log", resume=bool(before or known(disturbed)))
        if kind == "training":
            life.wait_until(lambda life=life: life.begun > 0)
        elif kind == "record":
            life.wait_until(lambda before=before: len(stored(disturbed)) > len(before))
        life.kill_after(rng.uniform(0, LATEST[kind]))
        after = stored(disturbed)
        report.problems += [f"kill {number}: {problem}" for problem in life.problems(before, after)]
        report.training += life.begun > len(after) - len(before)
        report.recorded += len(after) > len(before)
        report.idle += life.begun == 0
    report.trials = len(stored(disturbed)) + ahead
    last = begin(disturbed, report.trials, folder / "last.log", resume=known(disturbed))
    report.problems += last.ended_well()
    undisturbed = begin(peaceful, report.trials, folder / "peaceful.log", resume=False)
    report.problems += undisturbed.ended_well()
    one, other = stored(disturbed), stored(peaceful)
    if [essentials(record) for record in one] != [essentials(record) for record in other]:
        report.problems.append("the records differ from those of a run that was left in peace")
    if len(one) != report.trials:
        report.problems.append(f"{len(one)} records, expected {report.trials}")
    return report


def _kinds(kills: int, rng: random.Random) -> list[str]:
    """Return what each kill waits for before it waits some time."""
    if kills < FEW:
        return list(itertools.islice(itertools.cycle(("training", "record", "start")), kills))
    return rng.choices(("start", "training", "record"), weights=(80, 13, 7), k=kills)


def essentials(record: Record) -> dict[str, Any]:
    """Return all of a record but its times."""
    data = asdict(record)
    data.pop("created_at")
    data["provenance"].pop("commit")
    data["measurement"].pop("train_seconds")
    for epoch in data["measurement"]["curve"]:
        epoch.pop("seconds")
    return data


def known(path: Path) -> bool:
    """Whether a store holds the run."""
    if not path.exists():
        return False
    with Store(path, create=True) as store:
        return bool(store.runs())


def stored(path: Path) -> list[Record]:
    """Return the records of a store, once SQLite has found it in order."""
    if not path.exists():
        return []
    with Store(path, create=True) as store:
        records = store.records()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    return records


class _Life:
    """One process of the run, from its start to its kill, with all the processes that it starts."""

    def __init__(
        self,
        store: Path,
        trials: int,
        log: Path,
        *,
        workers: int,
        resume: bool,
        space: Path | None,
        program: Sequence[str],
    ) -> None:
        words = ["run", "--name", "run", "--trials", trials, "--workers", workers, "--store", store, "--evaluate", 0]
        first = ["--budget", 1_500, "--epochs", 3, "--no-baselines", "--folds", 1]
        words += ["--resume"] if resume else first + ([] if space is None else ["--space", space])
        command = [*program, *map(str, words), "--data", str(store.with_name("images.npz"))]
        self._log = log
        with log.open("wb") as stream:
            self._process = psutil.Popen(command, stdout=stream, stderr=stream, start_new_session=True)

    @property
    def begun(self) -> int:
        """How many trainings it began."""
        return len(self._trials())

    def wait_until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened, or its end."""
        while not happened() and self._process.poll() is None:
            with contextlib.suppress(psutil.TimeoutExpired):
                self._process.wait(timeout=0.1)

    def kill_after(self, seconds: float) -> None:
        """Kill it with all its processes; if it ends before, that is as well."""
        try:
            self._process.wait(timeout=seconds)
        except psutil.TimeoutExpired:
            family = [self._process, *self._process.children(recursive=True)]
            os.killpg(self._process.pid, signal.SIGKILL)
            _, alive = psutil.wait_procs(family, timeout=60)
            assert not alive, alive
        self._process.wait()

    def problems(self, before: list[Record], after: list[Record]) -> list[str]:
        """Return what should not have been."""
        found = []
        again = self._trials() & {record.trial for record in before}
        if again:
            found.append(f"trials {again} were trained once more")
        lost = {record.key for record in before} - {record.key for record in after}
        if lost:
            found.append(f"the records {lost} are gone")
        if re.search("error|Traceback", text := self._log.read_text(encoding="utf-8")):
            found.append(text[-1_000:])
        return found

    def ended_well(self) -> list[str]:
        """Wait for its end; return what was wrong with it."""
        code = self._process.wait(timeout=1_200)
        return [] if code == 0 else [f"exit code {code}: {self._log.read_text(encoding='utf-8')[-1_000:]}"]

    def _trials(self) -> set[int]:
        text = self._log.read_text(encoding="utf-8")
        return {int(number) - 1 for number in re.findall(r"^training \d+ of \d+: trial (\d+)", text, re.MULTILINE)}


def main() -> None:
    """Kill as often as was asked for, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = carry_through(Path(folder), given.kills, given.workers, given.seed)
    print(report)
    sys.exit(bool(report.problems))


if __name__ == "__main__":
    main()
