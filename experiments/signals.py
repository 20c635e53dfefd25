"""Compare how well figures of a search predict the test accuracy of a candidate.

::

    tinysearch evaluate RUN --top 20 --seeds 1
    python experiments/signals.py STORE...

The data are all candidates that a search trained and that were evaluated afterwards. A figure of the training within
the search is compared with the mean test accuracy of the trainings of the evaluation, which start from other weights
and use all training images. Each run is analysed separately, because budgets can be told apart without training. For
each figure the table has Spearman's rank correlation, the mean over runs weighted by their candidates, with the 95 %
interval of 1,000 bootstrap samples of candidates; and the loss of choosing by the figure: in random draws of 10
candidates of a run, how many points the test accuracy of the preferred candidate is below the best of the ten.

For all revalidated candidates, another table has the difference between the validation accuracy in the search, which
made them leaders, and the mean of their revalidations, on images that were not used to choose them. ``folds.py``
measures how much of that is due to the images.
"""

# The modules that are slow to import are always needed here.
# ruff: noqa: TID253

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from tinysearch.results.archive import open_to_read
from tinysearch.results.record import Record

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))
from pruning import interval

DRAWS = 10_000
DRAWN = 10
LEAST = 8
Array = np.ndarray[Any, np.dtype[np.float64]]


def pairs(stores: list[Path]) -> list[tuple[list[Record], Array]]:
    """Return the records of the evaluated candidates of each run, and their mean test accuracies."""
    found = []
    for path in stores:
        with open_to_read(path) as store:
            for run in store.runs():
                tests: dict[str, list[float]] = {}
                trained: dict[str, Record] = {}
                for record in store.records(run.name):
                    if record.test_accuracy is not None and record.origin == "search":
                        tests.setdefault(record.key, []).append(record.test_accuracy)
                    elif record.purpose == "search" and record.origin == "search" and not record.failed:
                        trained.setdefault(record.key, record)
                both = [key for key in trained if key in tests]
                if len(both) >= LEAST:
                    found.append(([trained[key] for key in both], np.array([np.mean(tests[key]) for key in both])))
    return found


def signals(records: list[Record]) -> dict[str, Array]:
    """Return the figures of a run's candidates by name, shape ``(candidates,)``; higher is better."""
    curves = [record.measurement.curve for record in records]

    def last(count: int, name: str, sign: float = 1.0) -> Array:
        return np.array([sign * np.mean([getattr(epoch, name) for epoch in curve[-count:]]) for curve in curves])

    found = {}
    for count in (1, 2, 3, 5):
        over = "last epoch" if count == 1 else f"mean of the last {count} epochs"
        found[f"validation accuracy, {over}"] = last(count, "val_accuracy")
        found[f"validation loss, {over}"] = last(count, "val_loss", -1.0)
    ranks = [rankdata(found[f"validation {name}, last epoch"]) for name in ("accuracy", "loss")]
    found["mean rank of validation accuracy and loss"] = (ranks[0] + ranks[1]) / 2
    found["training accuracy, last epoch"] = last(1, "accuracy")
    found["training loss, last epoch"] = last(1, "loss", -1.0)
    found["parameters"] = np.array([float(record.cost.params) for record in records])
    found["MACs"] = np.array([float(record.cost.macs) for record in records])
    return found


def regret(signal: list[Array], tests: list[Array], rng: np.random.Generator) -> float:
    """Return how many points the preferred one of drawn candidates is below the best of them, on average."""
    lost = []
    for values, accuracy in zip(signal, tests, strict=True):
        for _ in range(DRAWS):
            drawn = rng.choice(len(values), min(DRAWN, len(values)), replace=False)
            lost.append(accuracy[drawn].max() - accuracy[drawn[np.argmax(values[drawn])]])
    return 100 * float(np.mean(lost))


def falls(stores: list[Path]) -> dict[str, list[float]]:
    """Return how many points each revalidated candidate is worse on images that were not used to choose it, by run."""
    found: dict[str, list[float]] = {}
    for path in stores:
        with open_to_read(path) as store:
            for run in store.runs():
                scores: dict[str, dict[str, list[float]]] = {}
                for record in store.records(run.name):
                    if record.measurement.val_accuracy is not None and record.reused_from is None:
                        both = scores.setdefault(record.key, {"search": [], "revalidation": [], "evaluation": []})
                        both[record.purpose].append(record.measurement.val_accuracy)
                fallen = [
                    100 * (both["search"][0] - float(np.mean(both["revalidation"])))
                    for both in scores.values()
                    if both["search"] and both["revalidation"]
                ]
                if fallen:
                    found[run.name] = fallen
    return found


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("stores", type=Path, nargs="+", metavar="STORE")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    fallen = falls(given.stores)
    if fallen and not given.json:
        print("| run | leaders | worse when they were revalidated, points |\n| --- | ---: | ---: |")
        for run, points in fallen.items():
            error = f" ± {np.std(points, ddof=1) / np.sqrt(len(points)):.2f}" if len(points) > 1 else ""
            print(f"| {run} | {len(points)} | {np.mean(points):.2f}{error} |")
        print()
    found = pairs(given.stores)
    if not found:
        parser.error(f"no run has {LEAST} candidates that were evaluated; 'tinysearch evaluate RUN --top 20' does it")
    tests = [accuracy for _, accuracy in found]
    by_run = [signals(records) for records, _ in found]
    rows = []
    for name in by_run[0]:
        values = [one[name] for one in by_run]
        # The same samples and draws for each figure.
        correlation = interval(values, tests, np.random.default_rng(0))
        rows.append({"signal": name, "rank": correlation, "lost": regret(values, tests, np.random.default_rng(0))})
    count = sum(map(len, tests))
    if given.json:
        print(json.dumps({"candidates": count, "runs": len(found), "signals": rows, "falls": fallen}, indent=2))
        return
    print(f"{count} candidates of {len(found)} runs\n")
    print("| figure | rank correlation with test accuracy | points lost by choosing with it |\n| --- | ---: | ---: |")
    for row in rows:
        print("| {} | {:.2f} ({:.2f} to {:.2f}) | {:.3f} |".format(row["signal"], *row["rank"], row["lost"]))


if __name__ == "__main__":
    main()
