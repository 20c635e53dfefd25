"""Test whether plain networks gain from layers that are applied twice with the same weights.

::

    python experiments/shared.py --data mnist.npz --store shared.db --budget 3000 --seeds 3
    python experiments/shared.py --data mnist.npz --store shared.db --budget 3000 --seeds 5 --short

The first network of each budget is the first design of a search; the others apply layers after the pooling twice, and
are as wide as the budget permits. All are trained with the default recipe as in a search: 54,000 images and 10 epochs,
or 12,000 images and 4 epochs with ``--short``, as in ``peers.py``. Scores are validation accuracies of the last epoch
on 6,000 images; test images are not used. Trainings in the store are not repeated.
"""

from __future__ import annotations

import argparse
import statistics
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

import tinysearch
from tinysearch.space.architecture import Architecture, Conv, Head, Layer, Pool, SeparableConv
from tinysearch.space.notation import notation

NETWORKS = {
    1_000: ("c5 s8 M s11 s10 s11", "c6 s11 M s11x2 s11x2", "c5 s8 M s10 s10x2 s10"),
    3_000: ("c11 s18 M s22 s22 s23", "c14 s24 M s24x2 s24x2"),
    5_000: ("c15 s25 M s31 s31 s31", "c18 s34 M s34x2 s34x2"),
}
TRAINING, VALIDATION, EPOCHS = 12_000, 6_000, 4


def network(layers: str) -> Architecture:
    """Return a plain network; c12 is a convolution to 12 channels, s12 a separable one, x2 is twice, M pools."""

    def layer(word: str) -> Layer:
        filters, _, repeat = word[1:].partition("x")
        kind = {"c": Conv, "s": SeparableConv}[word[0]]
        return kind(int(filters), padding="valid", norm="before", bias=False, repeat=int(repeat or 1))

    return Architecture(tuple(Pool() if word == "M" else layer(word) for word in layers.split()), Head("average"))


def trained(options: argparse.Namespace, networks: list[Architecture], seed: int) -> dict[Architecture, float]:
    """Return the validation accuracy of each network, in percent."""
    protocol: dict[str, Any] = {"data": options.data}
    if options.short:
        with np.load(options.data) as file:
            x, y = file["x_train"], file["y_train"]
            test = file["x_test"], file["y_test"]
        middle, end = TRAINING, TRAINING + VALIDATION
        protocol = {"data": ((x[:middle], y[:middle]), (x[middle:end], y[middle:end]), test), "epochs": EPOCHS}
    study = tinysearch.run(
        options.budget,
        **protocol,
        store=options.store,
        name=f"shared-{options.budget}-{seed}{'-short' if options.short else ''}",
        strategy="random",
        trials=len(networks),
        initial_candidates=networks,
        folds=1,
        evaluate=0,
        baselines=False,
        cold=True,
        seed=seed,
        workers=options.workers,
    )
    with study:
        return {one.architecture: 100 * one.score for one in study.records if not one.failed}


def main() -> None:
    """Train, and print mean, standard deviation, and mean difference from the first network with its error."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="an .npz file with MNIST")
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--budget", type=int, choices=NETWORKS, default=3_000)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--short", action="store_true", help="12,000 images and 4 epochs")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    networks = [network(layers) for layers in NETWORKS[options.budget]]
    found: dict[Architecture, list[float]] = defaultdict(list)
    for seed in range(options.seeds):
        for one, score in trained(options, networks, seed).items():
            found[one].append(score)
    print("| layers | validation | n | difference, points |")
    print("| --- | ---: | ---: | ---: |")
    for one in networks:
        differences = [score - first for score, first in zip(found[one], found[networks[0]], strict=True)]
        cells = [f"{statistics.fmean(found[one]):.2f} ± {statistics.stdev(found[one]):.2f} %", str(options.seeds)]
        if one != networks[0]:
            error = statistics.stdev(differences) / len(differences) ** 0.5
            cells.append(f"{statistics.fmean(differences):+.2f} ± {error:.2f}")
        print(f"| `{notation(one)}` | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
