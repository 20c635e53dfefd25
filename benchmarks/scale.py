"""What the coordinator costs when training costs nothing, and how that grows with the history.

::

    python benchmarks/scale.py --trials 100000 --workers 1,16,256
    python benchmarks/scale.py --trials 5000 --workers 1 --strategy bayesian --json

Each number of workers is a run of its own in a process of its own: the real one, with its store, its lock and
KerasTuner's loop, but with an executor that makes up a measurement of ten epochs at once. So many workers are as many
jobs at a time, and the lag of the run. CPU seconds are of the whole process but for its start; what a trial costs is
told for each stretch of the run, so that growth can be seen. At the end
``tinysearch leaderboard`` is timed on the store as a whole process, against a bare ``python -c pass``.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.baselines.models import architectures
from tinysearch.data.loading import load
from tinysearch.results.callback import Callback
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.search.stages import Stages
from tinysearch.space.budget import Budget
from tinysearch.training.job import Job, Outcome
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone

STRETCHES = 10
REPEATS = 5


class MadeUp(Executor):
    """Measures nothing: the score is made of the candidate's key, and each job is done once it is submitted.

    Args:
        workers: How many jobs there can be at a time.
    """

    capacity = 0

    def __init__(self, workers: int) -> None:
        self.capacity = workers
        self._events: deque[Event] = deque()
        self._count = itertools.count()

    def submit(self, job: Job) -> Handle:
        """Note ten epochs and the end of a job."""
        handle = next(self._count)
        score = int(hashlib.sha256(job.candidate.key.encode()).hexdigest()[:8], 16) / 2**32
        curve = [Epoch(1.0 / number, score, 1.0, score * number / 10, 0.1, float(number)) for number in range(1, 11)]
        self._events.extend(EpochDone(handle, number, epoch) for number, epoch in enumerate(curve, start=1))
        self._events.append(JobDone(handle, Outcome(Measurement(tuple(curve), 10.0))))
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event."""
        return self._events.popleft() if self._events else None

    def cancel(self, handle: Handle) -> None:
        """Do nothing: the job is done."""

    def close(self) -> None:
        """Do nothing."""

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Do nothing: nobody looks at images."""
        return name


class Clock(Callback):
    """Notes the CPU time of this process whenever a record is stored."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        """Note the time."""
        self.times.append(time.process_time())


def carry_out(path: Path, trials: int, workers: int, strategy: str) -> dict[str, Any]:
    """Carry out one run and return its figures."""
    settings = RunSettings(Budget(10_000), Recipe(), strategy=strategy, trials=trials, lag=workers)
    clock = Clock()
    with Store(path, create=True) as store:
        with SearchRun(store, "scale", settings, load("digits"), architectures()) as run:
            Stages(run, MadeUp(workers), clock).search()
        size = sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
    step = max(1, trials // STRETCHES)
    ends = [clock.times[index] for index in range(0, len(clock.times), step)]
    return {
        "workers": workers,
        "strategy": strategy,
        "trials": trials,
        "cpu_ms_per_trial": [1_000 * (after - before) / step for before, after in itertools.pairwise(ends)],
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000,
        "store_kb_per_trial": size / 1_000 / trials,
    }


def wall_seconds(command: list[str]) -> float:
    """Return the median wall time of a process."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Carry out a run for each number of workers, and print the figures of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--workers", default="1,16,256")
    parser.add_argument("--strategy", default="evolution")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.store:
        print(json.dumps(carry_out(given.store, given.trials, int(given.workers), given.strategy)))
        return
    for workers in given.workers.split(","):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store.db"
            words = ["--trials", str(given.trials), "--workers", workers, "--strategy", given.strategy]
            command = [sys.executable, __file__, *words, "--store", str(store)]
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ})
            found = json.loads(done.stdout.splitlines()[-1])
            board = [sys.executable, "-m", "tinysearch", "leaderboard", "--store", str(store)]
            found["leaderboard_seconds"] = wall_seconds(board)
            found["bare_python_seconds"] = wall_seconds([sys.executable, "-c", "pass"])
        if given.json:
            print(json.dumps(found), flush=True)
            continue
        growth = ", ".join(f"{each:.1f}" for each in found["cpu_ms_per_trial"])
        print(
            f"{workers} workers, {given.strategy}, {given.trials:,} trials\n"
            f"  CPU ms per trial, by stretch of the run: {growth}\n"
            f"  resident memory at most {found['resident_mb']:.0f} MB, store {found['store_kb_per_trial']:.1f} kB per "
            f"trial\n  leaderboard {found['leaderboard_seconds']:.2f} s, python -c pass "
            f"{found['bare_python_seconds']:.3f} s",
            flush=True,
        )


if __name__ == "__main__":
    main()
