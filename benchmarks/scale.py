"""Cost of the coordinator when training costs nothing, and its growth with the history.

::

    python benchmarks/scale.py --trials 100000 --workers 1,16,256
    python benchmarks/scale.py --trials 5000 --workers 1 --strategy bayesian --json
    python benchmarks/scale.py --executor ray --trials 2000 --workers 16,64,256,1024
    python benchmarks/scale.py --executor ray --trials 640 --workers 64 --seconds 20 --lags 1,1.5,2,async

Each number of workers is a separate run in its own process. It is a real run with its store, its lock and KerasTuner's
loop, but its executor returns a made-up measurement of ten epochs at once. The number of workers is the number of jobs
at a time, and by default the lag of the run. CPU seconds are those of the whole process without its start; the cost of
a trial is reported for each stretch of the run, so that its growth is visible. At the end ``tinysearch leaderboard`` is
timed on the store as a whole process, against a bare ``python -c pass``.

With ``--executor ray`` the jobs are sent to a Ray cluster on this machine, where a worker takes only a fraction of a
CPU if there are more workers than cores. Two processes of the run are measured then: that of the search, and that which
communicates with Ray. With ``--seconds`` trainings take this long on average, see ``made_up``, and the output has the
fraction of time in which workers are busy, from the first finished epoch until the last trial begins.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from array import array
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from made_up import curve

from tinysearch.baselines.models import architectures
from tinysearch.data.loading import load
from tinysearch.results.callback import Callback
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.runtime.cores import usable_cores
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.search.stages import Stages
from tinysearch.space.budget import Budget
from tinysearch.training.job import Job, Outcome
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone
from tinysearch.workers.ray.executor import RayExecutor

STRETCHES = 10
REPEATS = 5


class MadeUp(Executor):
    """Executor that trains nothing: scores are derived from the candidate's key, and jobs finish when submitted.

    Args:
        workers: Number of jobs at a time.
    """

    capacity = 0

    def __init__(self, workers: int) -> None:
        self.capacity = workers
        self._events: deque[Event] = deque()
        self._count = itertools.count()

    def submit(self, job: Job) -> Handle:
        """Queue the events of ten epochs and of the end of a job."""
        handle = next(self._count)
        points = curve(job)
        self._events.extend(EpochDone(handle, number, epoch) for number, epoch in enumerate(points, start=1))
        self._events.append(JobDone(handle, Outcome(Measurement(tuple(points), 10.0))))
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event."""
        return self._events.popleft() if self._events else None

    def cancel(self, handle: Handle) -> None:
        """Do nothing: the job has finished."""

    def close(self) -> None:
        """Do nothing."""

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Return the name: images are not used."""
        return name


class Clock(Callback):
    """Callback that records the CPU time of this process at each record, and wall times of the workers' trainings."""

    def __init__(self) -> None:
        # Arrays of bytes instead of lists of objects, because memory is measured too.
        self.times, self.begins = array("d"), array("d")
        self.trained, self.ends = array("d"), array("d")
        self.first_epoch: float | None = None

    def on_trial_start(self, training: Training) -> None:
        """Record the time at which a trial begins."""
        self.begins.append(time.monotonic())

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        """Record the time of the first epoch, when workers are running."""
        self.first_epoch = self.first_epoch or time.monotonic()

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        """Record CPU time, wall time and training time of a record."""
        self.times.append(time.process_time())
        self.ends.append(time.monotonic())
        self.trained.append(record.measurement.train_seconds)

    def busy(self, workers: int) -> float:
        """Return the fraction of time in which workers trained, from the first epoch until the last trial began."""
        first, last = self.first_epoch or 0.0, self.begins[-1]
        trainings = zip(self.trained, self.ends, strict=True)
        worked = sum(max(0.0, min(end, last) - max(end - seconds, first)) for seconds, end in trainings)
        return worked / (workers * (last - first))


def carry_out(path: Path, given: argparse.Namespace) -> dict[str, Any]:
    """Run one search and return its figures."""
    workers, trials = int(given.workers), given.trials
    schedule = "async" if given.lags == "async" else "lag"
    lag = round(workers * (1.0 if schedule == "async" else float(given.lags)))
    settings = RunSettings(Budget(10_000), Recipe(), strategy=given.strategy, trials=trials, lag=lag, schedule=schedule)
    with executor(given.executor, workers, given.slots) as where, Store(path, create=True) as store:
        clock = Clock()
        began = time.monotonic()
        with SearchRun(store, "scale", settings, load("digits"), architectures()) as run:
            Stages(run, where, clock).search()
        passed = time.monotonic() - began
        size = sum(part.stat().st_size for part in path.parent.glob(f"{path.name}*"))
        ray = psutil.Process(where.pid) if isinstance(where, RayExecutor) else None
        spoken = {} if ray is None else {"ray_ms_per_trial": 1_000 * sum(ray.cpu_times()[:2]) / trials}
        if ray is not None:
            spoken["ray_resident_mb"] = ray.memory_info().rss / 1e6
            spoken["busy"] = clock.busy(workers) if given.seconds else None
    step = max(1, trials // STRETCHES)
    ends = [clock.times[index] for index in range(0, len(clock.times), step)]
    return {
        "executor": given.executor,
        "workers": workers,
        "lag": given.lags,
        "strategy": given.strategy,
        "trials": trials,
        "cpu_ms_per_trial": [1_000 * (after - before) / step for before, after in itertools.pairwise(ends)],
        "wall_ms_per_trial": 1_000 * passed / trials,
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000,
        "store_kb_per_trial": size / 1_000 / trials,
        **spoken,
    }


def executor(name: str, workers: int, slots: int) -> Executor:
    """Return the executor with a name; on a cluster, each process of Ray has this many slots."""
    if name == "made-up":
        return MadeUp(workers)
    slots = min(slots, workers)
    # All processes must fit on this machine.
    cpus = min(1.0, usable_cores() / (math.ceil(workers / slots) * slots))
    return RayExecutor("local", workers, cpus=cpus, slots=slots, trainer="made_up:train", processes=False)


def wall_seconds(command: list[str]) -> float:
    """Return the median wall time of a process."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Run a search for each number of workers and each lag, and print the figures of each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=100_000)
    parser.add_argument("--workers", default="1,16,256")
    parser.add_argument("--strategy", default="evolution")
    parser.add_argument("--executor", choices=("made-up", "ray"), default="made-up")
    parser.add_argument("--slots", type=int, default=32, help="trainings at a time in each process of Ray")
    parser.add_argument("--seconds", type=float, default=0.0, help="mean time of a training on the cluster")
    parser.add_argument("--lags", default="1", help="lags as multiples of the workers, or async, separated by commas")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--store", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.store:
        print(json.dumps(carry_out(given.store, given)))
        return
    for workers, lag in itertools.product(given.workers.split(","), given.lags.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            store = Path(folder) / "store.db"
            words = ["--trials", str(given.trials), "--workers", workers, "--strategy", given.strategy, "--lags", lag]
            words += ["--executor", given.executor, "--slots", str(given.slots), "--seconds", str(given.seconds)]
            command = [sys.executable, __file__, *words, "--store", str(store)]
            said = {"MADE_UP_SECONDS": str(given.seconds)}
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **said})
            found = json.loads(done.stdout.splitlines()[-1])
            board = [sys.executable, "-m", "tinysearch", "leaderboard", "--store", str(store)]
            found["leaderboard_seconds"] = wall_seconds(board)
            found["bare_python_seconds"] = wall_seconds([sys.executable, "-c", "pass"])
        if given.json:
            print(json.dumps(found), flush=True)
            continue
        growth = ", ".join(f"{each:.1f}" for each in found["cpu_ms_per_trial"])
        print(
            f"{workers} workers ({given.executor}), lag {lag}, {given.strategy}, {given.trials:,} trials, "
            f"{found['wall_ms_per_trial']:.1f} ms each by the clock\n"
            f"  CPU ms per trial, by stretch of the run: {growth}\n"
            f"  resident memory at most {found['resident_mb']:.0f} MB, store {found['store_kb_per_trial']:.1f} kB per "
            f"trial\n  leaderboard {found['leaderboard_seconds']:.2f} s, python -c pass "
            f"{found['bare_python_seconds']:.3f} s",
            flush=True,
        )
        if given.executor == "ray":
            busy = "" if found["busy"] is None else f"; workers busy {found['busy']:.1%} of their time"
            print(
                f"  what speaks to Ray: {found['ray_ms_per_trial']:.1f} CPU ms per trial, start included, "
                f"{found['ray_resident_mb']:.0f} MB{busy}",
                flush=True,
            )


if __name__ == "__main__":
    main()
