"""How well early epochs tell the last one, and what a rule that stops hopeless candidates saves and loses.

::

    python benchmarks/pruning.py STORE...
    python benchmarks/pruning.py STORE... --json

Of all candidates that searches trained for all epochs of one recipe length, baselines left out: first Spearman's rank
correlation of validation accuracy and loss after each epoch with the accuracy after the last one, with the 95 %
interval of 2,000 bootstrap samples. Then rules: a candidate is stopped after epoch k if its validation accuracy is
below a quantile of that of the candidates before it, from the ninth candidate on. Each rule is applied to 2,000 random
orders of the records: share of the epochs that it saves, how often it stops the candidate that would have been the best
in the end, and by how much the best one that is left is worse, in points.
"""

# What is slow to load is needed here at once.
# ruff: noqa: TID253

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from tinysearch.results.archive import open_to_read
from tinysearch.results.record import Record
from tinysearch.search.pruning import KNOWN

ORDERS = 2_000
QUANTILES = (0.1, 0.25, 0.33, 0.5)
Array = np.ndarray[Any, np.dtype[np.float64]]


def records_of(stores: list[Path]) -> list[Record]:
    """Return what was trained to its end: one record for each candidate, of the most frequent number of epochs."""
    found: dict[str, Record] = {}
    for path in stores:
        with open_to_read(path) as store:
            for record in store.records():
                whole = not record.failed and len(record.measurement.curve) == record.recipe["epochs"]
                if whole and record.purpose == "search" and record.origin == "search":
                    found.setdefault(record.key, record)
    lengths = Counter(len(record.measurement.curve) for record in found.values())
    epochs = lengths.most_common(1)[0][0] if lengths else 0
    return [record for record in found.values() if len(record.measurement.curve) == epochs]


def interval(early: Array, last: Array, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return the rank correlation and its 95 % interval."""
    drawn = []
    for _ in range(ORDERS):
        index = rng.integers(len(last), size=len(last))
        if len(set(last[index])) > 1 and len(set(early[index])) > 1:
            drawn.append(spearmanr(early[index], last[index]).statistic)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(spearmanr(early, last).statistic), float(low), float(high)


def simulate(curves: Array, epoch: int, quantile: float, rng: np.random.Generator) -> dict[str, float]:
    """Apply a rule to many orders; curves have shape ``(candidates, epochs)``."""
    count, epochs = curves.shape
    saved, lost, worse = [], 0, []
    for _ in range(ORDERS):
        order = curves[rng.permutation(count)]
        early, last = order[:, epoch - 1], order[:, -1]
        stopped = np.array(
            [place >= KNOWN and early[place] < np.quantile(early[:place], quantile) for place in range(count)]
        )
        saved.append(stopped.sum() * (epochs - epoch) / (count * epochs))
        left = last[~stopped].max()
        lost += left < last.max()
        worse.append(last.max() - left)
    return {
        "epoch": epoch,
        "quantile": quantile,
        "saved": float(np.mean(saved)),
        "best_lost": lost / ORDERS,
        "worse_points": 100 * float(np.mean(worse)),
    }


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+", metavar="STORE")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    records = records_of(given.stores)
    if len(records) < 2 * KNOWN:
        parser.error(f"{len(records)} records are too few; {2 * KNOWN} are needed")
    rng = np.random.default_rng(0)
    curves = np.array([[epoch.val_accuracy for epoch in record.measurement.curve] for record in records], float)
    losses = np.array([[epoch.val_loss for epoch in record.measurement.curve] for record in records], float)
    last = curves[:, -1]
    correlations = [
        {
            "epoch": epoch + 1,
            "accuracy": interval(curves[:, epoch], last, rng),
            "loss": interval(-losses[:, epoch], last, rng),
        }
        for epoch in range(curves.shape[1] - 1)
    ]
    rules = [simulate(curves, epoch, quantile, rng) for epoch in range(1, curves.shape[1]) for quantile in QUANTILES]
    if given.json:
        print(json.dumps({"records": len(records), "correlations": correlations, "rules": rules}, indent=2))
        return
    print(f"{len(records)} candidates of {curves.shape[1]} epochs\n")
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
