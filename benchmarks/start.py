"""Measure how long commands without a network take, against the start of Python itself.

::

    python benchmarks/start.py --runs 5

Times are wall times. In each round ``python -c pass`` and each command are started 9 times in turn. The table has the
ratios of their medians, and which of TensorFlow, Keras and KerasTuner a command imports. ``--store`` takes the
leaderboard of a store; without it, the leaderboard is that of the results that come with tinysearch.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

from candidate import spread

STARTS = 9
HEAVY = ("tensorflow", "keras", "keras_tuner")


def commands(store: Path | None) -> dict[str, list[str]]:
    """Return the timed commands by name."""
    read = ["--store", str(store)] if store else ["--reference"]
    ours = {
        "--help": ["--help"],
        "leaderboard": ["leaderboard", *read],
        "cost": ["cost", "baseline:conv"],
        "show": ["show", "baseline:conv"],
    }
    tinysearch = {name: [sys.executable, "-m", "tinysearch", *words] for name, words in ours.items()}
    return {"python -c pass": [sys.executable, "-c", "pass"], **tinysearch}


def seconds(command: list[str]) -> float:
    """Return the wall time of a process."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def imported(command: list[str]) -> list[str]:
    """Return the heavy packages that a command imports."""
    timed = [command[0], "-X", "importtime", *command[1:]]
    lines = subprocess.run(timed, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, check=True).stderr
    names = {line.rsplit("|", 1)[-1].strip() for line in lines.splitlines()}
    return [name for name in HEAVY if name in names]


def main() -> None:
    """Time the commands and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    timed = commands(given.store)
    rounds = []
    for _ in range(given.runs):
        taken: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(STARTS):
            for name, command in timed.items():
                taken[name].append(seconds(command))
        rounds.append({name: statistics.median(values) for name, values in taken.items()})
    heavy = {name: imported(command) for name, command in timed.items()}
    if given.json:
        print(json.dumps({"rounds": rounds, "imported": heavy}))
        return
    print("| command | s | / python -c pass | of TensorFlow, Keras, KerasTuner |\n| --- | ---: | ---: | --- |")
    for name in timed:
        ratio = spread([each[name] / each["python -c pass"] for each in rounds])
        middle = statistics.median(each[name] for each in rounds)
        print(f"| `{name}` | {middle:.3f} | {ratio} | {', '.join(heavy[name]) or 'nothing'} |")


if __name__ == "__main__":
    main()
