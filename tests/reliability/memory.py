"""Measures the memory of a run and its workers over many short trials.

python tests/reliability/memory.py --trials 80 --workers 2
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tinysearch.errors import StoreError
from tinysearch.results.store import Store


def watch(folder: Path, trials: int, workers: int) -> list[tuple[int, float, float]]:
    """Carry out a run; return, several times a second, how many trials were done and the memory in MB.

    Returns:
        Number of records, resident memory of the coordinator, and that of all workers together.
    """
    path = folder / "store.db"
    words = ["run", "--budget", 1_500, "--epochs", 1, "--no-baselines", "--dataset", "digits"]
    words += ["--evaluate", 0, "--folds", 1]
    words += ["--trials", trials, "--workers", workers, "--store", path]
    process = psutil.Popen([sys.executable, "-m", "tinysearch", *map(str, words)], stdout=-3, stderr=-3)
    seen = []
    while process.poll() is None:
        with contextlib.suppress(StoreError, psutil.Error), Store(path) as store:
            done = len(store.records())
            own = process.memory_info().rss / 1e6
            seen.append((done, own, sum(child.memory_info().rss for child in process.children()) / 1e6))
        time.sleep(0.2)
    return seen


def main() -> None:
    """Print the memory after every tenth trial: the median of what was seen between it and the next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=80)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = watch(Path(folder), given.trials, given.workers)
    print("trials done  coordinator  workers together (most seen, MB)")
    for start in range(10, given.trials, 10):
        within = [one for one in seen if start <= one[0] < start + 10]
        if within:
            own, others = max(one[1] for one in within), max(one[2] for one in within)
            print(f"{start:>5}-{start + 9:<5}  {own:>11.0f}  {others:>11.0f}")


if __name__ == "__main__":
    main()
