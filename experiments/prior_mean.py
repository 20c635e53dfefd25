"""What trainings tell of networks before a run has results of its own: the prior mean of the surrogate model.

::

    python experiments/prior_mean.py                        # how well it ranks runs that it was not fitted to
    python experiments/prior_mean.py --on STORE...          # and those of other stores
    python experiments/prior_mean.py --write                # make src/tinysearch/search/strategies/prior_mean.json

The logarithm of the error rate is fitted by ridge regression to ``features`` and their squares, standardized and kept
within some standard deviations. Trainings are those of searches in the reference archive and of ``ingredients.json``.

Asked is how well networks are ranked that a run trains after its first few results: by the model that is fitted to
these alone, by the prior mean alone, and by both together, as ``Bayesian`` does. A run of the archive is left out of
the fit of the prior mean. Reported is the mean of Spearman's rank correlation over runs, with the standard error of the
difference between both together and the results alone.
"""

# What is slow to load is needed here at once.
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
# So many networks must be left to rank.
LEAST = 4
# What came to the archive after the fit.
LATER = ("reference-8000",)
Searches = Mapping[str, Sequence[Record]]


def searches(path: Path) -> Searches:
    """Return what the searches of a store or an archive trained, by run, without baselines and failures."""
    found = defaultdict(list)
    with open_to_read(path) as store:
        for record in store.records():
            if path == REFERENCE and record.run in LATER:
                continue
            if record.purpose == "search" and record.origin == "search" and math.isfinite(record.score):
                found[record.run].append(record)
    return found


def rows(records: Iterable[Record]) -> Array:
    """Return the features of networks for images of MNIST's shape."""
    return np.array([features(one.architecture, cost(one.architecture, Task())) for one in records])


def trained(runs: Searches) -> list[tuple[Array, Array]]:
    """Return features and results of all that the prior mean is fitted to but some runs' records."""
    found = [(rows(records), np.array([_result(1 - one.score) for one in records])) for records in runs.values()]
    stages = [(features(network, cost(network, Task())), _result(error)) for _, network, error in listed(INGREDIENTS)]
    stages = [stage for stage in stages if math.exp(stage[0][0]) < BOUNDS[-1]]
    return [*found, (np.array([x for x, _ in stages]), np.array([y for _, y in stages]))]


def fitted(runs: Searches) -> PriorMean:
    """Fit the prior mean."""
    parts = trained(runs)
    x, y = (np.concatenate([part[number] for part in parts]) for number in (0, 1))
    centre, scale = x.mean(axis=0), x.std(axis=0)
    scale[scale < 1e-9] = 1.0
    terms = PriorMean(centre, scale, np.zeros((2, len(centre)))).terms(x).reshape(len(x), -1)
    terms -= terms.mean(axis=0)
    weights = np.linalg.solve(terms.T @ terms + RIDGE * np.eye(terms.shape[1]), terms.T @ (y - y.mean()))
    return PriorMean(centre, scale, weights.reshape(2, -1))


def ranked(records: Sequence[Record], prior: PriorMean, after: int, images: int) -> list[float] | None:
    """Return the rank correlations of results, prior mean and both with what comes after some results of a run."""
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
    """Print what is asked."""
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
    """Fit the prior mean, say what it is worth, and write it if that is wanted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--on", type=Path, nargs="+", default=[], metavar="STORE", help="stores of images of 28x28x1")
    parser.add_argument("--images", type=int, default=6_000, help="for validation")
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
