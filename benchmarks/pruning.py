"""How well early epochs predict the last one, and what a rule that stops poor candidates saves and loses.

::

    python benchmarks/pruning.py STORE...
    python benchmarks/pruning.py STORE... --json

The data are all candidates that searches trained to the end, without baselines. Each run is analysed separately:
candidates of different budgets are easy to tell apart, and a rule has to compare candidates of one budget. The first
table has Spearman's rank correlation of validation accuracy and loss after each epoch with the accuracy after the last
one: the mean over runs, weighted by their candidates, with the 95 % interval of 1,000 bootstrap samples. The second
table has rules: from the ninth candidate on, a candidate is stopped after epoch k if its validation accuracy is below a
quantile of that of the candidates before it. Each rule is applied to 1,000 random orders of each run. The table has the
fraction of the epochs that it saves, how often it stops the candidate that would have been the best in the end, and by
how much the best remaining candidate is worse, in points.
"""

# The modules that are slow to import are always needed here.
# ruff: noqa: TID253

from __future__ import annotations

import argparse
import bisect
import json
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from tinysearch.results.archive import open_to_read
from tinysearch.results.record import Record
from tinysearch.search.pruning import KNOWN

ORDERS = 1_000
QUANTILES = (0.25, 0.33, 0.5, 0.67)
Array = np.ndarray[Any, np.dtype[np.float64]]


def records_of(stores: list[Path]) -> list[list[Record]]:
    """Return the candidates trained to the end for the most frequent number of epochs, each once, run by run."""
    found: dict[str, Record] = {}
    for path in stores:
        with open_to_read(path) as store:
            for record in store.records():
                whole = not record.failed and len(record.measurement.curve) == record.recipe["epochs"]
                if whole and record.purpose == "search" and record.origin == "search":
                    found.setdefault(record.key, record)
    lengths = Counter(len(record.measurement.curve) for record in found.values())
    epochs = lengths.most_common(1)[0][0] if lengths else 0
    runs: dict[str, list[Record]] = {}
    for record in found.values():
        if len(record.measurement.curve) == epochs:
            runs.setdefault(record.run, []).append(record)
    return [records for records in runs.values() if len(records) > KNOWN]


def interval(early: list[Array], last: list[Array], rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the rank correlation and its 95 % bootstrap interval, from an array for each run."""

    def correlation(chosen: list[Any]) -> float:
        found = [(spearmanr(a[i], b[i]).statistic, len(i)) for a, b, i in zip(early, last, chosen, strict=True)]
        return float(np.average([value for value, _ in found], weights=[count for _, count in found]))

    def drawn(run: Array) -> Any:
        while True:
            index = rng.integers(len(run), size=len(run))
            if len(set(index.tolist())) > 2:
                return index

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        samples = [correlation([drawn(run) for run in last]) for _ in range(ORDERS)]
    low, high = np.nanquantile(samples, (0.025, 0.975))
    return correlation([np.arange(len(run)) for run in last]), float(low), float(high)


def simulate(runs: list[Array], epoch: int, quantile: float, rng: np.random.Generator) -> dict[str, float]:
    """Apply a rule to many random orders; the curves of each run have shape ``(candidates, epochs)``."""
    saved = total = lost = 0.0
    worse = []
    for curves in runs:
        count, epochs = curves.shape
        for _ in range(ORDERS):
            order = curves[rng.permutation(count)]
            early, last = order[:, epoch - 1], order[:, -1]
            stopped = np.zeros(count, bool)
            known: list[float] = []
            for place, value in enumerate(early):
                if place >= KNOWN:
                    rank = quantile * (place - 1)
                    low = int(rank)
                    high = min(low + 1, place - 1)
                    stopped[place] = value < known[low] + (rank - low) * (known[high] - known[low])
                bisect.insort(known, value)
            left = last[~stopped].max()
            saved += stopped.sum() * (epochs - epoch)
            total += count * epochs
            lost += left < last.max()
            worse.append(last.max() - left)
    return {
        "epoch": epoch,
        "quantile": quantile,
        "saved": saved / total,
        "best_lost": lost / (ORDERS * len(runs)),
        "worse_points": 100 * float(np.mean(worse)),
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+", metavar="STORE")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    records = records_of(given.stores)
    if not records:
        parser.error(f"no run has more than {KNOWN} candidates")
    rng = np.random.default_rng(0)
    curves = [np.array([[epoch.val_accuracy for epoch in one.measurement.curve] for one in run]) for run in records]
    losses = [np.array([[epoch.val_loss for epoch in one.measurement.curve] for one in run]) for run in records]
    last = [run[:, -1] for run in curves]
    count = sum(map(len, records))
    epochs = curves[0].shape[1]
    correlations = [
        {
            "epoch": epoch + 1,
            "accuracy": interval([run[:, epoch] for run in curves], last, rng),
            "loss": interval([-run[:, epoch] for run in losses], last, rng),
        }
        for epoch in range(epochs)
    ]
    rules = [simulate(curves, epoch, quantile, rng) for epoch in range(1, epochs) for quantile in QUANTILES]
    if given.json:
        print(
            json.dumps({"records": count, "runs": len(records), "correlations": correlations, "rules": rules}, indent=2)
        )
        return
    print(f"{count} candidates of {epochs} epochs in {len(records)} runs\n")
    print("| epoch | accuracy, rank correlation with the last | loss |\n| ---: | ---: | ---: |")
    for row in correlations:
        cells = ["{:.2f} ({:.2f} to {:.2f})".format(*row[name]) for name in ("accuracy", "loss")]
        print(f"| {row['epoch']} | {cells[0]} | {cells[1]} |")
    print("\n| after epoch | below quantile | epochs saved | best stopped | worse by, points |")
    print("| ---: | ---: | ---: | ---: | ---: |")
    for rule in rules:
        print(
            f"| {rule['epoch']} | {rule['quantile']:.2f} | {100 * rule['saved']:.0f} % | "
            f"{100 * rule['best_lost']:.1f} % | {rule['worse_points']:.3f} |"
        )


if __name__ == "__main__":
    main()
