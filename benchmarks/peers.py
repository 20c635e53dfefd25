"""What searches find by real trainings, against peers: what their leaders are worth after each number of trainings.

::

    python benchmarks/peers.py --data mnist.npz --store peers.db --budget 3000 --seeds 3
    python benchmarks/peers.py --data mnist.npz --store peers.db --budget 3000 --full reference-3000

All sides search the same space through the same filter, with the same recipe, lag and images; only what they propose
differs. A training is a short one unless told otherwise: 12,000 images of MNIST, 4 epochs, validated on 6,000 other
training images. How well it ranks networks beside the full schedule of 10 epochs on 54,000 images is said by ``--full
RUN``, which trains the candidates of a run of the reference archive once more.

The true quality of a network is the mean of 5 other trainings, scored on the test images, which choose nothing. It is
measured of each network that led a search at some time, but for those that are more than a point behind the best of all
in validation: these count with their validation accuracy. Reported are the leader's true quality after each number of
trainings, mean and standard error over seeds; and after how many the leader was first within ``--close`` points of the
best network that any side found.

Everything is kept in the store: a search that was interrupted goes on, and what was trained is not trained again.
"""

from __future__ import annotations

import argparse
import itertools
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from plain_stages import PlainStages

import tinysearch
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.record import Record
from tinysearch.results.store import Store

SIDES = (
    "bayesian",
    "plain",
    "random",
    "evolution",
    "optuna:TPESampler",
    "optuna:NSGAIISampler",
    "keras-tuner:BayesianOptimization",
)
TRAINING, VALIDATION, EPOCHS = 12_000, 6_000, 4
TRUTH = 5
# Points of validation accuracy.
FAR = 1.0
OFTEN = (3, 5, 10, 15, 20, 30, 40)
DRAWS = 2_000


def parts(options: argparse.Namespace) -> Any:
    """Return training, validation and test images with their labels."""
    with np.load(options.data) as file:
        x, y = file["x_train"], file["y_train"]
        test = file["x_test"], file["y_test"]
    if options.shuffled:
        order = np.random.default_rng(0).permutation(len(y))
        x, y = x[order], y[order]
    begin, end = options.training, options.training + options.validation
    return (x[:begin], y[:begin]), (x[begin:end], y[begin:end]), test


def search(options: argparse.Namespace, name: str, **settings: Any) -> list[Record]:
    """Carry out a search, or what is left of it; return what it trained, in the order of its trials."""
    study = tinysearch.run(
        options.budget,
        data=parts(options),
        store=options.store,
        name=name,
        folds=1,
        evaluate=0,
        baselines=False,
        cold=True,
        epochs=options.epochs,
        workers=options.workers,
        verbose=options.verbose,
        **settings,
    )
    with study:
        return sorted(study.records, key=lambda record: record.trial or 0)


def leaders(records: Sequence[Record]) -> list[Record]:
    """Return which record had the best validation accuracy after each number of trials; a failed one has none."""
    return list(itertools.accumulate(records, lambda one, other: max(one, other, key=validation)))


def validation(record: Record) -> float:
    """Return the validation accuracy of a record, in percent."""
    return 0.0 if record.failed else 100 * record.score


def true_qualities(options: argparse.Namespace, networks: set[str], others: set[str]) -> dict[str, float]:
    """Return the mean test accuracy of fresh trainings of each network, in percent; of others if it is known."""
    if networks:
        tinysearch.reproduce(
            sorted(networks),
            seeds=TRUTH,
            data=parts(options),
            store=options.store,
            workers=options.workers,
            verbose=options.verbose,
        )
    found = defaultdict(list)
    with Store(options.store) as store:
        for record in store.records(purpose="evaluation"):
            if record.key in networks | others and record.test_accuracy is not None:
                found[record.key].append(100 * record.test_accuracy)
    return {key: statistics.fmean(values) for key, values in found.items() if len(values) == TRUTH}


def report(searches: Mapping[str, Sequence[Sequence[Record]]], truth: Mapping[str, float], close: float) -> None:
    """Print a table: a row for each side."""
    best = max(truth.values())

    def quality(record: Record) -> float:
        """What was not measured counts as in validation."""
        return truth.get(record.key, validation(record))

    trials = min(len(one) for found in searches.values() for one in found)
    columns = [number for number in OFTEN if number <= trials]
    print(f"\nBest network found by any side: {best:.2f} %\n")
    print("| side | n | " + " | ".join(map(str, columns)) + f" | within {close} points after, median (least to most) |")
    print("| --- | ---: |" + " ---: |" * (len(columns) + 1))
    for side, found in searches.items():
        curves = [[quality(each) for each in leaders(one)] for one in found]
        cells = [mean_and_error([curve[number - 1] for curve in curves]) for number in columns]
        first = [
            next((place for place, value in enumerate(curve, 1) if value >= best - close), math.inf) for curve in curves
        ]
        low, middle, high = min(first), statistics.median_high(first), max(first)
        shown = [f"{value:.0f}" if math.isfinite(value) else f"over {trials}" for value in (middle, low, high)]
        print(
            f"| `{side}` | {len(found)} | " + " | ".join(cells) + " | {} ({} to {}) |".format(*shown),
            flush=True,
        )


def far_behind(searches: Mapping[str, Sequence[Sequence[Record]]]) -> Callable[[Record], bool]:
    """Return what tells whether a record is so far behind the best of all searches that its quality is not measured."""
    best = max(validation(record) for found in searches.values() for one in found for record in one)
    return lambda record: validation(record) < best - FAR


def mean_and_error(values: Sequence[float]) -> str:
    """Return mean and standard error; without an error of a single value."""
    mean = statistics.fmean(values)
    return f"{mean:.2f} ± {statistics.stdev(values) / len(values) ** 0.5:.2f}" if len(values) > 1 else f"{mean:.2f}"


def compare_with_full(options: argparse.Namespace) -> None:
    """Train the candidates of a reference run shortly, and print how well that ranks them."""
    from scipy.stats import spearmanr

    with open_to_read(REFERENCE) as archive:
        full = [one for one in archive.records(options.full, purpose="search") if one.origin == "search"]
    full = [one for one in full if not one.failed and one.cost.params < options.budget]
    short = search(
        options,
        f"short-of-{options.full}",
        strategy="random",
        trials=len(full),
        initial_candidates=[one.architecture for one in full],
    )
    # Keys differ, as the recipe has fewer epochs.
    scores = {record.architecture: record.score for record in short}
    pairs = np.array([(scores[one.architecture], one.score) for one in full if one.architecture in scores])
    rng = np.random.default_rng(0)
    drawn = [pairs[rng.integers(len(pairs), size=len(pairs))] for _ in range(DRAWS)]
    low, high = np.quantile([spearmanr(*each.T).statistic for each in drawn], [0.025, 0.975])
    found = spearmanr(*pairs.T).statistic
    print(f"{options.full}: rank correlation {found:.2f} ({low:.2f} to {high:.2f}), n = {len(pairs)}")


def main() -> None:
    """Search with each side and seed, measure the leaders, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="an .npz file with MNIST")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=3_000)
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--close", type=float, default=0.1, help="points")
    parser.add_argument("--training", type=int, default=TRAINING, help="images")
    parser.add_argument("--validation", type=int, default=VALIDATION, help="images")
    parser.add_argument("--shuffled", action="store_true", help="shuffle training images, if they are sorted by class")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--full", metavar="RUN", help="train the candidates of a reference run shortly instead")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.full:
        compare_with_full(options)
        return
    searches: dict[str, list[list[Record]]] = defaultdict(list)
    truth: dict[str, float] = {}
    for seed in range(options.seeds):
        for side in options.sides.split(","):
            name = f"{side.replace(':', '-')}-{options.budget}-{seed}"
            strategy: Any = PlainStages if side == "plain" else side
            found = search(options, name, strategy=strategy, trials=options.trials, seed=seed)
            searches[side].append(found)
            is_far = far_behind(searches)
            led = {record.key for record in leaders(found)} - truth.keys()
            far = {record.key for record in leaders(found) if is_far(record)}
            truth |= true_qualities(options, led - far, led & far)
            print(f"{name}: {validation(leaders(found)[-1]):.2f} % in validation", file=sys.stderr, flush=True)
        report(searches, truth, options.close)


if __name__ == "__main__":
    main()
