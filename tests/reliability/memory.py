"""Measures the memory of a run and its workers over many short trials.

python tests/reliability/memory.py --trials 80 --workers 2
python tests/reliability/memory.py --trials 11 --workers 1 --budget 10000 --data mnist.npz
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from tinysearch.errors import StoreError
from tinysearch.results.store import Store


@dataclass(frozen=True)
class Seen:
    """What was seen at one moment; memory in MB.

    Args:
        done: How many trials were done.
        search: What the process of the run has resident.
        workers: What all workers have resident, each with the code that they share.
        worker: The most that a worker has for itself.
        code: The most that a process has of what is shared: code, mapped from files.
    """

    done: int
    search: float
    workers: float
    worker: float
    code: float


def watch(folder: Path, given: argparse.Namespace) -> list[Seen]:
    """Carry out a run; return what was seen several times a second."""
    path = folder / "store.db"
    words = ["run", "--budget", given.budget, "--epochs", 1, "--no-baselines", "--evaluate", 0, "--folds", 1]
    words += ["--data", given.data] if given.data else ["--dataset", "digits"]
    words += ["--trials", given.trials, "--workers", given.workers, "--store", path]
    process = psutil.Popen([sys.executable, "-m", "tinysearch", *map(str, words)], stdout=-3, stderr=-3)
    seen = []
    while process.poll() is None:
        with contextlib.suppress(StoreError, psutil.Error), Store(path) as store:
            found = [child.memory_info() for child in process.children()]
            seen.append(
                Seen(
                    done=len(store.records()),
                    search=process.memory_info().rss / 1e6,
                    workers=sum(one.rss for one in found) / 1e6,
                    worker=max((one.rss - one.shared for one in found), default=0) / 1e6,
                    code=max((one.shared for one in found), default=0) / 1e6,
                )
            )
        time.sleep(0.2)
    return seen


def main() -> None:
    """Print the most that was seen after every tenth trial, until the next."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=80)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--budget", type=int, default=1_500)
    parser.add_argument("--data", type=Path, help="an .npz file; else digits")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seen = watch(Path(folder), given)
    print("trials done  search  workers together  a worker for itself  shared (most seen, MB)")
    for start in range(0, given.trials, 10):
        within = [one for one in seen if start <= one.done < start + 10]
        if within:
            most = [max(getattr(one, name) for one in within) for name in ("search", "workers", "worker", "code")]
            print(f"{start:>5}-{start + 9:<5} {most[0]:>7.0f} {most[1]:>17.0f} {most[2]:>20.0f} {most[3]:>7.0f}")


if __name__ == "__main__":
    main()
