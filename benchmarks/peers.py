"""Compare searches with peers on real trainings: the true quality of their leaders after each number of trainings.

::

    python benchmarks/peers.py --data mnist.npz --store peers.db --budget 3000 --seeds 5
    python benchmarks/peers.py --budget 3000                         # the table of what there is
    python benchmarks/peers.py --data mnist.npz --store peers.db --budget 3000 --full reference-3000

All sides search the same space through the same filter, with the same recipe, lag and images; only their proposals
differ. By default trainings are short: 12,000 images of MNIST, 4 epochs, validated on 6,000 other training images.
``--full RUN`` reports how well these rank networks, compared with the full schedule of 10 epochs on 54,000 images: it
trains the candidates of a run of the reference archive again.

The true quality of a network is the mean of 5 other trainings, scored on the test images, which are not used to choose
anything. It is measured for each network that led a search at some time, except those more than a point behind the best
of all in validation: for these the validation accuracy counts. The table has the leader's true quality after each
number of trainings, mean and standard error over seeds; and the number of trainings after which the leader was first
within ``--close`` points of the best network that any side found.

The store keeps everything: an interrupted search resumes, and nothing is trained twice. ``--found`` keeps the finished
results as well, a line of JSON for each search and each measured network; they are not repeated, and the table is made
from them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from plain_stages import PlainStages

import tinysearch
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.space.notation import notation

FOUND = Path(__file__).with_name("peers.jsonl")
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
# Leaders more than this many points of validation accuracy behind the best network are not measured.
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


@dataclass(frozen=True)
class Trial:
    """A network that a search trained.

    Args:
        key: Key of the network and its recipe.
        network: The network in the notation of tinysearch.
        validation: Accuracy after the last epoch, in percent; 0 if the training failed.
    """

    key: str
    network: str
    params: int
    validation: float


@dataclass(frozen=True)
class Searched:
    """A finished search.

    Args:
        protocol: Data, budget, images and epochs: searches with the same protocol can be compared.
        side: What proposed the networks, see ``SIDES``.
        code: Version of tinysearch, and its commit if known.
    """

    protocol: str
    side: str
    seed: int
    code: str
    trials: list[Trial]

    @property
    def leaders(self) -> list[Trial]:
        """The trial with the best validation accuracy after each number of trials."""
        return list(itertools.accumulate(self.trials, lambda one, other: max(one, other, key=lambda t: t.validation)))


@dataclass
class Results:
    """Searches with one protocol, and test accuracies of new trainings of their leaders, in percent, by key."""

    searches: list[Searched] = field(default_factory=list)
    tested: dict[str, list[float]] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path, protocol: str) -> Results:
        found = cls()
        for line in path.read_text().splitlines() if path.exists() else ():
            row = json.loads(line)
            if row["protocol"] != protocol:
                continue
            if "side" in row:
                found.searches.append(Searched(**row | {"trials": [Trial(**each) for each in row["trials"]]}))
            else:
                found.tested[row["key"]] = row["tested"]
        return found

    def has(self, side: str, seed: int, trials: int) -> bool:
        """Return whether the search of a side with a seed has at least this many trials."""
        return any((one.side, one.seed) == (side, seed) for one in self.first(trials))

    def first(self, trials: int) -> Iterator[Searched]:
        """Yield the searches with at least this many trials, cut to them; one for each side and seed."""
        longest = {(one.side, one.seed): one for one in sorted(self.searches, key=lambda one: len(one.trials))}
        for one in longest.values():
            if len(one.trials) >= trials:
                yield replace(one, trials=one.trials[:trials])

    def unmeasured(self, trials: int) -> list[Trial]:
        """Return the leaders whose true quality is still to be measured, each once."""
        searches = list(self.first(trials))
        best = max((trial.validation for one in searches for trial in one.trials), default=0.0)
        led = {trial.key: trial for one in searches for trial in one.leaders}
        return [one for one in led.values() if one.key not in self.tested and one.validation >= best - FAR]

    def quality(self, trial: Trial) -> float:
        """Return the true quality of a network; its validation accuracy if it was not measured."""
        return statistics.fmean(self.tested.get(trial.key, [trial.validation]))


def protocol(options: argparse.Namespace) -> str:
    """Return a description of the settings that searches must share to be compared."""
    images = (
        f"{options.training:,} images{', shuffled' if options.shuffled else ''}, validated on {options.validation:,}"
    )
    return f"{options.of}, below {options.budget:,}, {options.epochs} epochs, {images}"


def search(options: argparse.Namespace, name: str, **settings: Any) -> list[Record]:
    """Run or resume a search; return its records, in the order of its trials."""
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


def searched(options: argparse.Namespace, side: str, seed: int) -> Searched:
    """Run the search of a side."""
    name = f"{side.replace(':', '-')}-{options.budget}-{seed}"
    strategy: Any = PlainStages if side == "plain" else side
    records = search(options, name, strategy=strategy, trials=options.trials, seed=seed)
    trials = [
        Trial(
            key=one.key,
            network=notation(one.architecture),
            params=one.cost.params,
            validation=0.0 if one.failed else round(100 * one.score, 3),
        )
        for one in records
    ]
    where = records[-1].provenance
    code = f"{where['tinysearch']}, commit {where.get('commit', 'unknown')}"
    return Searched(protocol(options), side, seed, code, trials)


def tested(options: argparse.Namespace, networks: Iterable[str]) -> dict[str, list[float]]:
    """Return the test accuracies of new trainings of networks, in percent, by key."""
    keys = sorted(networks)
    if not keys:
        return {}
    tinysearch.reproduce(
        keys, seeds=TRUTH, data=parts(options), store=options.store, workers=options.workers, verbose=options.verbose
    )
    found = defaultdict(list)
    with Store(options.store) as store:
        for record in store.records(purpose="evaluation"):
            if record.key in keys and record.test_accuracy is not None:
                found[record.key].append(round(100 * record.test_accuracy, 3))
    return {key: values[:TRUTH] for key, values in found.items() if len(values) >= TRUTH}


def report(results: Results, options: argparse.Namespace) -> None:
    """Print a table with a row for each side."""
    searches = [
        one
        for one in results.first(options.trials)
        if one.side in options.sides.split(",") and one.seed < options.seeds
    ]
    led = {trial.key for one in searches for trial in one.leaders}
    if not led & results.tested.keys():
        print(f"There is no search yet: {protocol(options)}")
        return
    best = max(statistics.fmean(values) for key, values in results.tested.items() if key in led)
    columns = [number for number in OFTEN if number <= options.trials]
    print(f"\n{protocol(options)}. Best network found by any side: {best:.2f} %")
    for side in dict.fromkeys(one.side for one in searches):
        print(f"{side}: tinysearch {'; '.join(sorted({one.code for one in searches if one.side == side}))}")
    if missing := [one for one in results.unmeasured(options.trials) if one.key in led]:
        print(f"Not measured yet, counted as in validation: {len(missing)} leaders")
    print()
    titles = (*map(str, columns), "minus `plain`", f"within {options.close} points after, median (least to most)")
    print(f"| side | n | {' | '.join(titles)} |")
    print("| --- |" + " ---: |" * (len(titles) + 1))
    # True quality of the leader after the last trial, by seed.
    plain = {one.seed: results.quality(one.leaders[-1]) for one in searches if one.side == "plain"}
    for side in dict.fromkeys(one.side for one in searches):
        own = [one for one in searches if one.side == side]
        curves = [[results.quality(each) for each in one.leaders] for one in own]
        cells = [mean_and_error([curve[number - 1] for curve in curves]) for number in columns]
        differences = [curve[-1] - plain[one.seed] for curve, one in zip(curves, own, strict=True) if one.seed in plain]
        cells.append(mean_and_error(differences, "+") if differences and side != "plain" else "")
        first = [
            next((place for place, value in enumerate(curve, 1) if value >= best - options.close), math.inf)
            for curve in curves
        ]
        low, middle, high = min(first), statistics.median_high(first), max(first)
        shown = [f"{value:.0f}" if math.isfinite(value) else f"over {options.trials}" for value in (middle, low, high)]
        print(
            f"| `{side}` | {len(own)} | " + " | ".join(cells) + " | {} ({} to {}) |".format(*shown),
            flush=True,
        )


def mean_and_error(values: Sequence[float], sign: str = "") -> str:
    """Return mean and standard error as text; the mean alone for a single value."""
    error = f" ± {statistics.stdev(values) / len(values) ** 0.5:.2f}" if len(values) > 1 else ""
    return f"{statistics.fmean(values):{sign}.2f}{error}"


def compare_with_full(options: argparse.Namespace) -> None:
    """Train the candidates of a reference run with the short schedule, and print how well that ranks them."""
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
    parser.add_argument("--data", type=Path, help="an .npz file with MNIST; without one nothing is trained")
    parser.add_argument("--of", help="name of the data in the results; by default that of the file, else mnist")
    parser.add_argument("--store", type=Path, default=Path("peers.db"))
    parser.add_argument("--found", type=Path, default=FOUND, help="file of finished searches and measurements")
    parser.add_argument("--budget", type=int, default=3_000)
    parser.add_argument("--sides", default=",".join(SIDES))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--close", type=float, default=0.1, help="points from the best network that count as close")
    parser.add_argument("--training", type=int, default=TRAINING, help="number of training images")
    parser.add_argument("--validation", type=int, default=VALIDATION, help="number of validation images")
    parser.add_argument("--shuffled", action="store_true", help="shuffle the training images, for data sorted by class")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--full", metavar="RUN", help="train the candidates of a reference run for few epochs instead")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    options.of = options.of or (options.data.stem if options.data else "mnist")
    if options.full:
        compare_with_full(options)
        return
    results = Results.read(options.found, protocol(options))
    if options.data:
        for seed, side in itertools.product(range(options.seeds), options.sides.split(",")):
            complete(results, options, side, seed)
    report(results, options)


def complete(results: Results, options: argparse.Namespace, side: str, seed: int) -> None:
    """Run a search and measure its leaders, unless these results are known; append new results to ``--found``."""
    if not results.has(side, seed, options.trials):
        results.searches.append(searched(options, side, seed))
        write(options.found, asdict(results.searches[-1]))
        print(f"{side}, seed {seed}: {results.searches[-1].leaders[-1]}", file=sys.stderr, flush=True)
    for key, values in tested(options, (one.key for one in results.unmeasured(options.trials))).items():
        results.tested[key] = values
        write(options.found, {"protocol": protocol(options), "key": key, "tested": values})


def write(path: Path, row: dict[str, Any]) -> None:
    """Append a row to a file as a line of JSON."""
    with path.open("a") as file:
        file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
