"""How many candidates several single-thread workers train in the time in which one trains one.

::

    python benchmarks/workers.py --data mnist.npz --runs 5 --workers 2

Here only the clock can tell. In each round one worker and then several, each started and warm, train two candidates
each; printed is the ratio of candidates per second, and how many cores the workers kept busy: what makes the batches
runs beside what computes, so that one worker keeps more than one core busy. Needs psutil.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import psutil
from candidate import NETWORKS, images, spread
from tinysearch.workers.local.processes import WorkerProcesses

from tinysearch.data.dataset import TrainingData
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import recipe
from tinysearch.workers.executor import Executor

EACH = 2


def throughput(data: TrainingData, workers: int, epochs: int) -> tuple[float, float]:
    """Return candidates per second, and how many cores the workers kept busy."""
    candidate = Candidate(NETWORKS["wide"], recipe("default", epochs=epochs))
    processes = WorkerProcesses(data, stall_seconds=600.0)
    with Executor(processes, workers, lambda *_: None) as executor:
        for position in range(workers):
            executor.start(position, Job(Candidate(candidate.architecture, recipe("default", epochs=1)), 0))
        finished = 0
        while finished < workers:
            finished += executor.wait() is not None
        began, busy = time.perf_counter(), spent()
        for position in range(EACH * workers):
            executor.start(position, Job(candidate, position))
        finished = 0
        while finished < EACH * workers:
            finished += executor.wait() is not None
        passed = time.perf_counter() - began
        return EACH * workers / passed, (spent() - busy) / passed


def spent() -> float:
    """Return the CPU seconds of the workers that are there."""
    return sum(sum(process.cpu_times()[:2]) for process in psutil.Process().children(recursive=True))


def main() -> None:
    """Measure one worker and several, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; else as tinysearch finds it")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--images", type=int, default=9_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    data = images(options.data, options.images)
    rounds = []
    for _ in range(options.runs):
        (one, busy), (several, both) = (throughput(data, workers, options.epochs) for workers in (1, options.workers))
        rounds.append({"one": one, "several": several, "ratio": several / one, "busy": busy, "several_busy": both})
    if options.json:
        print(json.dumps(rounds))
        return
    print("| candidates per minute | median (least to most) |")
    print("| --- | ---: |")
    print(f"| one worker | {spread([60 * each['one'] for each in rounds])} |")
    print(f"| {options.workers} workers | {spread([60 * each['several'] for each in rounds])} |")
    print(f"| cores that one keeps busy | {spread([each['busy'] for each in rounds])} |")
    print(f"| cores that {options.workers} keep busy | {spread([each['several_busy'] for each in rounds])} |")
    print(f"| ratio | {spread([each['ratio'] for each in rounds])} |")


if __name__ == "__main__":
    main()
