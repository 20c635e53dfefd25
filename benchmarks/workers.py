"""Number of candidates that several single-thread workers train in the time in which one worker trains one.

::

    python benchmarks/workers.py --data mnist.npz --runs 5 --workers 2
    python benchmarks/workers.py --data mnist.npz --runs 5 --workers 2 --executor ray

Times are wall times. In each round one worker and then several, all started and warm, train two candidates each. The
table has the ratio of candidates per second, and the number of cores that the workers kept busy: batches are made in
parallel with the computation, so one worker keeps more than one core busy. ``--executor ray`` compares local workers
with the same number of workers of a Ray cluster on this machine. Needs psutil.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import psutil
from candidate import NETWORKS, images, spread

from tinysearch.data.dataset import TrainingData
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job
from tinysearch.training.recipe import recipe
from tinysearch.workers.executor import Executor, JobDone
from tinysearch.workers.local.executor import LocalExecutor
from tinysearch.workers.ray.executor import RayExecutor

EACH = 2


def throughput(data: TrainingData, made: Executor, workers: int, epochs: int) -> tuple[float, float]:
    """Return candidates per second, and the number of cores kept busy by the workers; close the executor."""
    assert data.validation is not None  # noqa: S101
    network = NETWORKS["wide"]
    with made as executor:
        # Jobs hold out the last tenth of all images: those for validation.
        parts = (data.train, data.validation)
        where = DataReference(
            executor.share("pixels", np.concatenate([part.pixels for part in parts])),
            executor.share("labels", np.concatenate([part.labels for part in parts])),
            "benchmark",
            data.task.input_shape,
            data.task.classes,
            data.full_scale,
        )

        def train(jobs: list[Job]) -> None:
            waiting = {executor.submit(job) for job in jobs}
            while waiting:
                event = executor.wait()
                if isinstance(event, JobDone):
                    waiting.discard(event.handle)

        train([Job(Candidate(network, recipe("default", epochs=1)), 0, where) for _ in range(workers)])
        began, busy = time.perf_counter(), spent()
        candidate = Candidate(network, recipe("default", epochs=epochs))
        train([Job(candidate, seed, where) for seed in range(EACH * workers)])
        passed = time.perf_counter() - began
        return EACH * workers / passed, (spent() - busy) / passed


def spent() -> float:
    """Return the CPU seconds of the running workers."""
    return sum(sum(process.cpu_times()[:2]) for process in psutil.Process().children(recursive=True))


def main() -> None:
    """Measure one worker and several, or local workers and those of a cluster, in turn; print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; by default it is found as by tinysearch")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--images", type=int, default=9_000)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--executor", choices=("local", "ray"), default="local")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    data = images(options.data, options.images)
    rounds = []
    for _ in range(options.runs):
        on_ray = options.executor == "ray"
        least = options.workers if on_ray else 1
        one, busy = throughput(data, LocalExecutor(least, stall_seconds=600.0), least, options.epochs)
        other = RayExecutor("local", options.workers) if on_ray else LocalExecutor(options.workers, stall_seconds=600.0)
        several, both = throughput(data, other, options.workers, options.epochs)
        rounds.append({"one": one, "several": several, "ratio": several / one, "busy": busy, "several_busy": both})
    if options.json:
        print(json.dumps(rounds))
        return
    print("| candidates per minute | median (least to most) |")
    print("| --- | ---: |")
    number = options.workers
    names = (f"{number} local", f"{number} of Ray") if options.executor == "ray" else ("one", f"{number} of them")
    print(f"| {names[0]} | {spread([60 * each['one'] for each in rounds])} |")
    print(f"| {names[1]} | {spread([60 * each['several'] for each in rounds])} |")
    print(f"| cores kept busy, {names[0]} | {spread([each['busy'] for each in rounds])} |")
    print(f"| cores kept busy, {names[1]} | {spread([each['several_busy'] for each in rounds])} |")
    print(f"| ratio | {spread([each['ratio'] for each in rounds])} |")


if __name__ == "__main__":
    main()
