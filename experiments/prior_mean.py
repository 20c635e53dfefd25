"""Fit the prior mean of the surrogate model: what a run expects of networks before it has results of its own.

::

    python experiments/prior_mean.py                        # how well it ranks runs that it was not fitted to
    python experiments/prior_mean.py --on STORE...          # and those of other stores
    python experiments/prior_mean.py --write                # make src/tinysearch/search/strategies/prior_mean.json

The logarithm of the error rate is fitted by ridge regression to ``features`` and their squares, standardized and
clipped to some standard deviations. The trainings are those of searches in the reference archive and those of
``ingredients.json``.

The table shows how well three models rank the networks that a run trains after its first few results: a model fitted to
these results alone, the prior mean alone, and both together, as ``Bayesian`` does. The prior mean is fitted without the
run of the archive that it ranks. The table has the mean of Spearman's rank correlation over runs, and the mean
difference between both together and the results alone with its standard error.
"""

# The modules that are slow to import are always needed here.
# ruff: noqa: TID253

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from prior import BOUNDS, INGREDIENTS, listed
from scipy.stats import spearmanr

from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.record import Record
from tinysearch.search.strategies.features import FEATURES, features
from tinysearch.search.strategies.observations import observed, replicates
from tinysearch.search.strategies.prior_mean import FILE, PriorMean, prior_mean, slope
from tinysearch.search.strategies.surrogate import Array, fit
from tinysearch.space.cost import cost
from tinysearch.space.task import Task

RIDGE = 30.0
AFTER = (3, 5, 8, 12, 16)
# Minimum number of networks left to rank.
LEAST = 4
# Runs that were added to the archive after the fit.
LATER = ("reference-8000",)
Searches = Mapping[str, Sequence[Record]]


def searches(path: Path) -> Searches:
    """Return the records of the searches in a store or an archive by run, without baselines and failures."""
    found = defaultdict(list)
    with open_to_read(path) as store:
        for record in store.records():
            if path == REFERENCE and record.run in LATER:
                continue
            if record.purpose == "search" and record.origin == "search" and math.isfinite(record.score):
                found[record.run].append(record)
    return found


def rows(records: Iterable[Record]) -> Array:
    """Return the features of networks for images of the shape of MNIST."""
    return np.array([features(one.architecture, cost(one.architecture, Task())) for one in records])


def trained(runs: Searches) -> list[tuple[Array, Array]]:
    """Return features and results of the networks that the prior mean is fitted to.

    The list has a pair for each of ``runs`` and one for ``ingredients.json``.
    """
    found = [(rows(records), np.array([_result(1 - one.score) for one in records])) for records in runs.values()]
    stages = [(features(network, cost(network, Task())), _result(error)) for _, network, error in listed(INGREDIENTS)]
    stages = [stage for stage in stages if math.exp(stage[0][0]) < BOUNDS[-1]]
    return [*found, (np.array([x for x, _ in stages]), np.array([y for _, y in stages]))]


def fitted(runs: Searches) -> PriorMean:
    """Fit the prior mean to runs and to ``ingredients.json``."""
    parts = trained(runs)
    x, y = (np.concatenate([part[number] for part in parts]) for number in (0, 1))
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-9] = 1.0
    terms = PriorMean(centre, scale, np.zeros((2, len(centre)))).terms(x).reshape(len(x), -1)
    terms -= terms.mean(axis=0)
    weights = np.linalg.solve(terms.T @ terms + RIDGE * np.eye(terms.shape[1]), terms.T @ (y - y.mean()))
    return PriorMean(centre, scale, weights.reshape(2, -1))


def ranked(records: Sequence[Record], prior: PriorMean, after: int, images: int) -> list[float] | None:
    """Return how well three models rank the networks that follow the first ``after`` results of a run.

    Returns:
        Rank correlations of the results alone, the prior mean alone, and both together; None if fewer than ``LEAST``
        networks follow.
    """
    seen = replicates(records)
    if len(seen) - after < LEAST:
        return None
    x, left = rows(one.first for one in seen), slice(after, None)
    expected, targets = prior(x), observed(seen[:after], images)
    followed = slope(expected[:after], targets.values, targets.errors)
    alone, _ = fit(x[:after], targets.values, targets.errors)(x[left])
    rest, _ = fit(x[:after], targets.values - followed * expected[:after], targets.errors)(x[left])
    results = observed(seen, images).values[left]
    guesses = (alone, expected[left], rest + followed * expected[left])
    return [float(np.nan_to_num(spearmanr(guess, results)[0])) for guess in guesses]


def _result(error: float) -> float:
    return -math.log(max(error, 1e-4))


def table(groups: Mapping[str, Sequence[tuple[Sequence[Record], PriorMean]]], images: int) -> None:
    """Print the rank correlations for each group of runs and each number of results."""
    print("| networks of | after | runs | results alone | prior mean alone | both | both - results alone |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, runs in groups.items():
        for after in AFTER:
            each = [ranked(records, prior, after, images) for records, prior in runs]
            found = np.array([one for one in each if one is not None])
            if not len(found):
                continue
            alone, prior, both = found.mean(axis=0)
            gains = found[:, 2] - found[:, 0]
            error = f" ± {gains.std(ddof=1) / math.sqrt(len(gains)):.2f}" if len(gains) > 1 else ""
            print(
                f"| {name} | {after} | {len(found)} | {alone:.2f} | {prior:.2f} | {both:.2f} | "
                f"{gains.mean():+.2f}{error} |"
            )


def content(prior: PriorMean, runs: Searches) -> dict[str, Any]:
    """Return the prior mean as plain JSON values."""
    number = sum(len(y) for _, y in trained(runs))
    numbers = zip(prior.centre, prior.scale, *prior.weights, strict=True)
    return {
        "about": f"experiments/prior_mean.py: fitted to {number} networks that were trained on MNIST",
        "features": {
            name: [float(f"{value:.5g}") for value in values] for name, values in zip(FEATURES, numbers, strict=True)
        },
    }


def main() -> None:
    """Fit the prior mean, and print how well it ranks networks, or write it with ``--write``."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", type=Path, nargs="+", default=[], metavar="STORE", help="stores of images of 28x28x1")
    parser.add_argument("--images", type=int, default=6_000, help="number of validation images")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    runs = searches(REFERENCE)
    if options.write:
        FILE.write_text(json.dumps(content(fitted(runs), runs), indent=1) + "\n", encoding="utf-8")
        return
    groups = {
        "the archive, each run left out": [
            (records, fitted({name: one for name, one in runs.items() if name != run}))
            for run, records in runs.items()
            if run.startswith(("mnist", "reference", "sweep"))
        ]
    }
    for path in options.on:
        groups[path.stem] = [(records, prior_mean()) for records in searches(path).values()]
    table(groups, options.images)


if __name__ == "__main__":
    main()
