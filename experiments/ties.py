"""Which of several candidates with the same validation accuracy is the best one.

::

    python experiments/ties.py --data mnist.npz --store ties.db

With few validation images many candidates have the same accuracy, and something else has to decide among them: the one
with fewer parameters, or the one with the lower validation loss. Networks of a random search below ``--budget`` are
trained several times on ``--images`` images, each time validated on as many images as ``--validation`` says, and scored
on all test images. Then searches of 20 of them are simulated: each sees one training of each, at random; the truth of a
network is its mean on the test images over its other trainings. Printed is by how much each rule is better than taking
any of those that share the best accuracy, in points, where several share it.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import tinysearch
from tinysearch.results.record import Record
from tinysearch.results.store import Store

CANDIDATES, SEARCHES = 20, 2_000
Rule = Callable[[Record], Any]
RULES: dict[str, Rule] = {
    "fewer parameters": lambda record: record.params,
    "lower validation loss": lambda record: record.measurement.curve[-1].val_loss,
}


def parts(options: argparse.Namespace, path: Path) -> Any:
    """Return some training images, some validation images, and all test images, with their labels."""
    with np.load(path) as file:
        x, y, test = file["x_train"], file["y_train"], (file["x_test"], file["y_test"])
    order = np.random.default_rng(0).permutation(len(x))
    training, rest = order[: options.images], order[options.images :][: options.validation]
    return (x[training], y[training]), (x[rest], y[rest]), test


def trained(options: argparse.Namespace) -> list[list[Record]]:
    """Return the trainings of each network; what is in the store is not trained again."""
    data = parts(options, options.data)
    name = f"ties-{options.data.stem}-{options.images}-{options.validation}-{options.budget}"
    given: dict[str, Any] = {
        "data": data,
        "store": options.store,
        "workers": options.workers,
        "verbose": options.verbose,
    }
    study = tinysearch.run(
        options.budget,
        name=name,
        strategy=options.strategy,
        trials=options.networks,
        folds=1,
        evaluate=0,
        baselines=False,
        cold=True,
        **given,
    )
    with study:
        keys = [record.key for record in study.records if not record.failed]
        fingerprint = study.dataset.fingerprint
    tinysearch.reproduce(keys, seeds=options.seeds, **given)
    found = defaultdict(list)
    with Store(options.store) as store:
        for record in store.records(purpose="evaluation"):
            if record.key in keys and record.fingerprint == fingerprint and record.val_accuracy is not None:
                found[record.key].append(record)
    return [records for records in found.values() if len(records) > 1]


def compare(networks: list[list[Record]]) -> None:
    """Print what each rule gains."""
    rng = np.random.default_rng(0)
    gains: dict[str, list[float]] = {name: [] for name in RULES}
    sharing = []
    for _ in range(SEARCHES):
        drawn = [networks[place] for place in rng.choice(len(networks), CANDIDATES, replace=False)]
        seen, truth = [], {}
        for records in drawn:
            place = int(rng.integers(len(records)))
            seen.append(records[place])
            others = [100 * (one.test_accuracy or 0.0) for one in records[:place] + records[place + 1 :]]
            truth[records[place].key] = statistics.fmean(others)
        best = max(one.score for one in seen)
        equal = [one for one in seen if one.score == best]
        sharing.append(len(equal))
        if len(equal) > 1:
            middle = statistics.fmean(truth[one.key] for one in equal)
            for name, rule in RULES.items():
                gains[name].append(truth[min(equal, key=rule).key] - middle)
    several = sum(count > 1 for count in sharing) / len(sharing)
    print(f"{len(networks)} networks; {100 * several:.0f} % of searches end with several, {max(sharing)} at most")
    for name, values in gains.items():
        if values:
            print(f"{name}: {statistics.fmean(values):+.3f} points, n = {len(values)}")


def main() -> None:
    """Train, and compare the rules."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="an .npz file with MNIST or Fashion-MNIST")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--budget", type=int, default=5_000)
    parser.add_argument("--images", type=int, default=1_300)
    parser.add_argument("--validation", type=int, default=144, help="number of validation images")
    parser.add_argument("--networks", type=int, default=40)
    parser.add_argument("--strategy", default="evolution")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    compare(trained(options))


if __name__ == "__main__":
    main()
