"""Test whether the held-out folds of the training images are equally hard.

::

    python experiments/folds.py --data mnist.npz --seeds 5 --folds 3

A search holds out the last fold; revalidations of its leaders hold out others. A network that no search chose is
trained without each fold in turn, with the same seeds. A difference between its mean accuracies on two folds is due to
the folds: the score of a leader changes by that much when it is revalidated, even without any luck in the search. Test
images are not used.

``--split last stratified`` also compares two divisions of the images: tenths from the end, as in the reference results,
and folds drawn by class.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
from pathlib import Path

from ablation import BASE

from tinysearch.data.dataset import FOLDS
from tinysearch.data.loading import load
from tinysearch.data.splits import Kind, Split
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job, Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.local.executor import LocalExecutor
from tinysearch.workers.outcomes import outcomes
from tinysearch.workers.sharing import share


def accuracies(
    data: Path | None, kinds: list[Kind], folds: int, seeds: int, epochs: int, workers: int
) -> dict[str, list[float]]:
    """Return validation accuracies of the last epoch in percent, one per seed, for each fold of each kind of split.

    Raises:
        RuntimeError: if a training fails.
    """
    images = load("auto", data)
    candidate = Candidate(BASE, Recipe(epochs=epochs))
    planned = [(kind, fold, seed) for seed in range(seeds) for fold in range(folds) for kind in kinds]
    found = {f"{kind} {fold}": [0.0] * seeds for kind in kinds for fold in range(folds)}
    with LocalExecutor(workers) as executor:
        shared = {kind: share(executor, dataclasses.replace(images, split=Split(kind))) for kind in kinds}
        resources = Resources(executor.threads_per_job())
        jobs = [Job(candidate, seed, shared[kind], fold, resources) for kind, fold, seed in planned]
        for position, outcome in outcomes(executor, jobs):
            (kind, fold, seed), measurement = planned[position], outcome.measurement
            if measurement.val_accuracy is None:
                raise RuntimeError(f"the training of seed {seed} without fold {fold} failed: {measurement.failure}")
            found[f"{kind} {fold}"][seed] = 100 * measurement.val_accuracy
    return found


def main() -> None:
    """Train the network and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--split", nargs="+", default=["last"], choices=("last", "stratified"))
    parser.add_argument("--folds", type=int, default=3, choices=range(1, FOLDS + 1))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = accuracies(given.data, given.split, given.folds, given.seeds, given.epochs, given.workers)
    if given.json:
        print(json.dumps({"accuracies": found}))
        return
    print("| split, fold | validation | n | difference, points |\n| --- | ---: | ---: | ---: |")
    first = next(iter(found.values()))
    for fold, values in found.items():
        spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
        differences = [value - base for value, base in zip(values, first, strict=True)]
        error = f" ± {statistics.stdev(differences) / math.sqrt(len(values)):.2f}" if len(values) > 1 else ""
        apart = f"{statistics.mean(differences):+.2f}{error}" if values is not first else ""
        print(f"| {fold} | {statistics.mean(values):.2f}{spread} % | {len(values)} | {apart} |")


if __name__ == "__main__":
    main()
