"""Kills a command again and again and starts the same command anew, as a job queue does; compares with one in peace.

python tests/reliability/repeated.py --kills 500 --workers 2 --command reproduce
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parent))
from kills import TINYSEARCH, essentials, stored

from tinysearch.data.loading import load

# All stages of a run; and retrainings of what is known.
COMMANDS: dict[str, list[object]] = {
    "run": [
        *("run", "--name", "run", "--resume=auto", "--budget", 1_500, "--trials", 6, "--epochs", 3),
        *("--no-baselines", "--folds", 3, "--evaluate", 2, "--strategy", "random"),
    ],
    "reproduce": ["reproduce", "conv", "separable", "--seeds", 2, "--epochs", 3],
    "evaluate": ["evaluate", "run", "--top", 2, "--seeds", 2],
}


@dataclass
class Seen:
    """What was seen.

    Args:
        kills: How often the command was killed.
        by_purpose: How many of the kills found, when they came, that the latest record was of a purpose.
        rounds: How often the work came to its end before there were enough kills.
        problems: What should not have been; empty if all is well.
    """

    kills: int = 0
    by_purpose: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    problems: list[str] = field(default_factory=list)


class Instant(Protocol):
    """When a kill comes.

    Args:
        environment: What the process that is killed finds in its environment besides ours.
    """

    environment: Mapping[str, str]

    def comes(self, process: Any, log: Path) -> bool:
        """Wait for it; return whether it came before the end of the process, which writes to ``log``."""


class SoonAfterTheFirstTraining:
    """At most 1.5 seconds after a command has said that it trains."""

    environment: Mapping[str, str] = {}

    def __init__(self, rng: random.Random) -> None:
        self._seconds = rng.uniform(0.0, 1.5)

    def comes(self, process: Any, log: Path) -> bool:
        while process.poll() is None:
            if re.search(r"^training \d+ of", log.read_text(encoding="utf-8"), re.MULTILINE):
                return not ends_within(process, self._seconds)
            ends_within(process, 0.05)
        return False


def carry_through(
    folder: Path,
    command: str,
    instants: Sequence[Instant],
    workers: Sequence[int],
    seed: int,
    program: Sequence[str] = TINYSEARCH,
) -> Seen:
    """Kill a command again and again, and compare what it stores each time it ends.

    Args:
        folder: For stores and logs.
        command: One of ``COMMANDS``.
        instants: When each kill comes. One that has not come when the command ends is for the command begun anew.
        workers: With how many workers it is started: the first time with the first of them, then with any.
        seed: Of the numbers of workers.
        program: Starts the command line.
    """
    rng = random.Random(seed)  # noqa: S311
    digits = load("digits")
    test = digits.test()
    np.savez(
        folder / "images.npz",
        x_train=digits.train.pixels[:300],
        y_train=digits.train.labels[:300],
        x_test=test.pixels[:100],
        y_test=test.labels[:100],
    )
    start = _Starter(folder, program)
    seen = Seen()
    peaceful = _wanted(start, folder / "peaceful.db", command, workers[0], seen)
    while seen.kills < len(instants) and not seen.problems:
        seen.rounds += 1
        before = seen.kills
        store = folder / f"disturbed-{seen.rounds}.db"
        if command == "evaluate":
            start(store, COMMANDS["run"], workers[0]).wait(timeout=600)
        count = workers[0]
        while True:
            instant = instants[seen.kills] if seen.kills < len(instants) else None
            process = start(store, COMMANDS[command], count, instant.environment if instant else {})
            if instant and instant.comes(process, start.log):
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                seen.kills += 1
                found = _records(store)
                latest = next(reversed(found), ("none",))[0]
                seen.by_purpose[latest] = seen.by_purpose.get(latest, 0) + 1
                count = rng.choice(workers)
                continue
            if process.wait(timeout=600) != 0:
                seen.problems.append(f"exit code {process.returncode}: {start.end_of_log()}")
            break
        if seen.kills == before:
            seen.problems.append(f"round {seen.rounds}: it ended before a kill came")
        if not seen.problems and _records(store) != peaceful:
            seen.problems.append(f"round {seen.rounds}: the records differ from those of a command left in peace")
    return seen


class _Starter:
    """Starts the command line in a session of its own."""

    def __init__(self, folder: Path, program: Sequence[str]) -> None:
        self._folder = folder
        self._program = program
        self.log = folder / "log"

    def __call__(
        self, store: Path, words: Sequence[object], workers: int, environment: Mapping[str, str] | None = None
    ) -> Any:
        given = [*words, "--store", store, "--workers", workers, "--data", self._folder / "images.npz"]
        with self.log.open("wb") as stream:
            return psutil.Popen(
                [*self._program, *map(str, given)],
                stdout=stream,
                stderr=stream,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )

    def end_of_log(self) -> str:
        """Return the end of what the last command has written."""
        return self.log.read_text(encoding="utf-8")[-2_000:]


def ends_within(process: Any, seconds: float) -> bool:
    """Wait for the end of a process; return whether it came in time."""
    with contextlib.suppress(psutil.TimeoutExpired):
        process.wait(timeout=seconds)
    return process.poll() is not None


def _wanted(start: _Starter, store: Path, command: str, workers: int, seen: Seen) -> dict[tuple[Any, ...], Any]:
    for words in ("run", "evaluate") if command == "evaluate" else (command,):
        if start(store, COMMANDS[words], workers).wait(timeout=600) != 0:
            seen.problems.append(f"in peace: {start.end_of_log()}")
    return _records(store)


def _records(store: Path) -> dict[tuple[Any, ...], Any]:
    return {(one.purpose, one.run, one.key, one.seed): essentials(one) for one in stored(store)}


def main() -> None:
    """Kill as often as was asked for, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--workers", type=int, nargs="+", default=[2, 1, 3])
    parser.add_argument("--command", choices=COMMANDS, default="run")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rng = random.Random(given.seed)  # noqa: S311
        instants = [SoonAfterTheFirstTraining(rng) for _ in range(given.kills)]
        seen = carry_through(Path(folder), given.command, instants, given.workers, given.seed)
    print(seen)
    sys.exit(bool(seen.problems))


if __name__ == "__main__":
    main()
