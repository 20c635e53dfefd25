"""Fraction of time in which workers wait because a proposal may depend on results that are not available yet.

::

    python benchmarks/utilisation.py                        # times of all searches of the reference archive
    python benchmarks/utilisation.py --run mnist-10000-2    # of one of them
    python benchmarks/utilisation.py --workers 4,6,8,12 --lags 8,12,16

With a lag of L, trial i begins when a worker is free and trials 0 to i - L have finished. If L is larger than the
number of workers, a slow training does not block the others until the lag is used up. ``async`` never waits.

This is a simulation, nothing is trained: training times are drawn from those in the archive. Machines and budgets
differ between runs, so a time is measured in units of the mean of its run. Proposals take no time.
"""

from __future__ import annotations

import argparse
import heapq
import math
import statistics
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tinysearch.results.archive import REFERENCE, open_to_read

# Lags as multiples of the number of workers.
MULTIPLES = (1.0, 1.5, 2.0, 4.0)


def training_times(path: Path, run: str | None = None) -> list[float]:
    """Return the training times of searches in units of the mean of their run.

    Reused, failed and pruned trainings are left out.
    """
    found: list[float] = []
    with open_to_read(path) as store:
        for name in [run] if run else [each.name for each in store.runs()]:
            times = [
                record.measurement.train_seconds
                for record in store.records(name)
                if (record.origin, record.purpose) == ("search", "search")
                and record.reused_from is None
                and not record.failed
                and not record.pruned
            ]
            found += [each / statistics.mean(times) for each in times]
    return found


def share_waited(workers: int, lag: int | None, trials: int, draw: Callable[[], float]) -> float:
    """Return the fraction of all workers' time, until the last trial begins, in which they wait for results."""
    free = [0.0] * workers
    ends: list[float] = []
    begins: list[float] = []
    # Time from which the results are available that the next trial may depend on.
    known = 0.0
    for trial in range(trials):
        if lag is not None and trial >= lag:
            known = max(known, ends[trial - lag])
        # Trials begin in order.
        begins.append(max(known, heapq.heappop(free), *begins[-1:]))
        ends.append(begins[-1] + draw())
        heapq.heappush(free, ends[-1])
    last = begins[-1]
    worked = sum(min(end, last) - begin for begin, end in zip(begins, ends, strict=True))
    return 1 - worked / (workers * last)


def cell(workers: int, lag: int | None, times: Sequence[float], per_worker: int, orders: int) -> str:
    """Return the mean fraction over random orders of trainings, with its standard error, in percent, as text."""
    shares = []
    for order in range(orders):
        rng = np.random.default_rng([workers, order])
        drawn = iter(rng.choice(times, workers * per_worker).tolist())
        shares.append(100 * share_waited(workers, lag, workers * per_worker, drawn.__next__))
    error = statistics.stdev(shares) / math.sqrt(orders)
    return f"{abs(round(statistics.mean(shares), 1))} ± {error:.1f} %"


def main() -> None:
    """Simulate and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", type=Path, default=REFERENCE, help="archive or store with trainings")
    parser.add_argument("--run", help="use the times of this run only")
    parser.add_argument("--workers", default="8,64,256")
    parser.add_argument("--lags", help="numbers of trials, instead of multiples of the workers")
    parser.add_argument("--per-worker", type=int, default=100, help="trials for each worker")
    parser.add_argument("--orders", type=int, default=10, help="number of random orders of trainings")
    given = parser.parse_args()
    times = training_times(given.archive, given.run)
    print(
        f"{len(times)} trainings; standard deviation of their times {statistics.stdev(times):.2f} of the mean, "
        f"longest {max(times):.2f}\n"
    )
    fixed = [int(lag) for lag in given.lags.split(",")] if given.lags else None
    heads = [f"lag {lag}" for lag in fixed] if fixed else [f"lag {multiple:g} W" for multiple in MULTIPLES]
    print(f"| workers W | {' | '.join(heads)} | async |\n| ---: |{' ---: |' * (len(heads) + 1)}")
    for workers in map(int, given.workers.split(",")):
        lags = [*(fixed or [round(multiple * workers) for multiple in MULTIPLES]), None]
        cells = [cell(workers, lag, times, given.per_worker, given.orders) for lag in lags]
        print(f"| {workers} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
