"""Ablation of a network and of its training: one thing is changed at a time.

::

    python experiments/ablation.py --data mnist.npz --seeds 3       # trains what is missing, then prints the table
    python experiments/ablation.py --data mnist.npz --seeds 3 --only 'base; batches of 32'
    python experiments/ablation.py --data mnist.npz --seeds 2 --base large
    python experiments/ablation.py --data mnist.npz --seeds 3 --base 1000,2000,3000,5000
    python experiments/ablation.py                                  # the table of what there is

A network of about 2,000 parameters is trained with the default recipe, but in batches of 64, and then with one thing
changed. If that changes the network, all widths are scaled so that its parameters stay at or just below those of the
base. ``--base large`` takes a network of about 9,000 parameters with the unchanged default recipe, and changes the
recipe only; ``--base tiny`` does so with one of about 900. ``--base 1000`` and other budgets take a plain network just
below the budget, and change the augmentation, the learning rate and the weight decay.

Scores are validation accuracies of the last epoch, as in a search; test images are not used. Records belong to a run
named ``ablation``, ``ablation-large`` and so on in the store, which can be interrupted and resumed: all variants of all
bases are trained with seed 0 first, then with seed 1.

The table has mean and sample standard deviation over seeds, and the mean difference from the base, paired by seed, with
its standard error.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from dataclasses import replace
from pathlib import Path
from typing import Any

from tinysearch.data.loading import load
from tinysearch.results.record import Record
from tinysearch.results.store import Store, default_path
from tinysearch.space.architecture import Architecture, Conv, Head, Layer, Pool, Residual, SeparableConv
from tinysearch.space.cost import cost
from tinysearch.space.notation import notation
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job, Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.local.executor import LocalExecutor
from tinysearch.workers.outcomes import outcomes
from tinysearch.workers.sharing import share

RUNS = {"small": "ablation", "large": "ablation-large", "tiny": "ablation-tiny"}
BUDGETS = ("1000", "2000", "3000", "5000", "10000")
RUNS |= {budget: f"ablation-{budget}" for budget in BUDGETS}


def c(filters: int, **other: Any) -> Conv:
    """Return a convolution with the options that the prior draws most often."""
    return Conv(filters, **{"padding": "valid", "norm": "before", "bias": False, **other})


def s(filters: int, **other: Any) -> SeparableConv:
    """Return a separable convolution with the options that the prior draws most often."""
    return SeparableConv(filters, **{"padding": "valid", "norm": "before", "bias": False, **other})


def network(*layers: Layer, head: str = "average") -> Architecture:
    """Return a network of layers with a head."""
    return Architecture(layers, Head(head))


M = Pool()
BASE = network(c(8), s(16), M, s(16), s(16), s(16))
BOUND = cost(BASE, Task()).params + 1


def scaled(architecture: Architecture) -> Architecture:
    """Return a network with its widths scaled to the parameters of the base."""
    return SearchSpace().scaled_below(architecture, BOUND)


def everywhere(**changed: Any) -> Architecture:
    """Return the base with all convolutions changed, scaled to the parameters of the base."""
    layers = [replace(one, **changed) if isinstance(one, (Conv, SeparableConv)) else one for one in BASE.layers]
    return scaled(network(*layers))


TINY = network(c(8), s(13), M, s(13, repeat=3))
LARGE = network(c(8), c(12), M, c(16), c(16), c(16), c(10))


def variants(base: str) -> dict[str, Candidate]:
    """Return the candidates to compare by name, the base first."""
    if base in BUDGETS:
        return augmentations(base)
    return {"small": small_variants, "large": large_variants, "tiny": tiny_variants}[base]()


def augmentations(budget: str) -> dict[str, Candidate]:
    """Return changes of the recipe whose effect may depend on network size: augmentation, rate and weight decay."""
    plain = {
        "1000": network(c(5), s(8), M, s(11), s(10), s(11)),
        "2000": network(c(8), s(14), M, s(17), s(17), s(17)),
        "3000": network(c(11), s(18), M, s(22), s(22), s(23)),
        "5000": network(c(15), s(25), M, s(31), s(31), s(31)),
        "10000": network(c(26), s(38), M, s(46), s(46), s(47)),
    }[budget]
    how = Recipe()
    recipes = {
        "base": how,
        "half the augmentation": replace(how, rotation_degrees=3.5, shift_pixels=0.5),
        "no augmentation": replace(how, rotation_degrees=0.0, shift_pixels=0.0),
        "the last 2 epochs not augmented": replace(how, no_augment_final_epochs=2),
        "half, the last 2 epochs not at all": replace(
            how, rotation_degrees=3.5, shift_pixels=0.5, no_augment_final_epochs=2
        ),
        "peak rate 0.2": replace(how, learning_rate=0.2),
        "weight decay 2e-4": replace(how, weight_decay=2e-4),
        "weight decay 5e-4": replace(how, weight_decay=5e-4),
        "weight decay 1e-3": replace(how, weight_decay=1e-3),
    }
    return {name: Candidate(plain, recipe) for name, recipe in recipes.items()}


def tiny_variants() -> dict[str, Candidate]:
    """Return changes of the recipe for the smallest network."""
    how = Recipe()
    recipes = {
        "base": how,
        "no augmentation": replace(how, rotation_degrees=0.0, shift_pixels=0.0),
        "half the augmentation": replace(how, rotation_degrees=3.5, shift_pixels=0.5),
        "no shift": replace(how, shift_pixels=0.0),
        "the last 2 epochs not augmented": replace(how, no_augment_final_epochs=2),
        "batches of 16": replace(how, batch_size=16),
        "peak rate 0.2": replace(how, learning_rate=0.2),
    }
    return {name: Candidate(TINY, recipe) for name, recipe in recipes.items()}


def large_variants() -> dict[str, Candidate]:
    """Return changes of the recipe for the large network."""
    how = Recipe()
    recipes = {
        "base": how,
        "batches of 16": replace(how, batch_size=16),
        "peak rate 0.05": replace(how, learning_rate=0.05),
        "peak rate 0.2": replace(how, learning_rate=0.2),
        "half the augmentation": replace(how, rotation_degrees=3.5, shift_pixels=0.5),
        "shift 2 pixels": replace(how, shift_pixels=2.0),
        "zoom 10 %": replace(how, zoom=0.1),
        "zoom 10 %, shear 7 degrees": replace(how, zoom=0.1, shear_degrees=7.0),
        "the last 2 epochs not augmented": replace(how, no_augment_final_epochs=2),
        "averaged weights, 0.999": replace(how, ema_momentum=0.999),
        "label smoothing 0.05": replace(how, label_smoothing=0.05),
        "weight decay 5e-4": replace(how, weight_decay=5e-4),
        "zoom 10 %, weight decay 5e-4": replace(how, zoom=0.1, weight_decay=5e-4),
        "zoom 10 %, rotation 3.5 degrees": replace(how, zoom=0.1, rotation_degrees=3.5),
    }
    return {name: Candidate(LARGE, recipe) for name, recipe in recipes.items()}


def small_variants() -> dict[str, Candidate]:
    """Return changes of the recipe and of the network for the small network."""
    # The base of the comparison stays as it was when the first variants were trained.
    how = replace(Recipe(), batch_size=64)
    recipes = {
        "base": how,
        "batches of 32": replace(how, batch_size=32),
        "batches of 128": replace(how, batch_size=128),
        "peak rate 0.05": replace(how, learning_rate=0.05),
        "peak rate 0.2": replace(how, learning_rate=0.2),
        "constant rate 0.01": replace(how, schedule="constant", learning_rate=0.01),
        "no augmentation": replace(how, rotation_degrees=0.0, shift_pixels=0.0),
        "half the augmentation": replace(how, rotation_degrees=3.5, shift_pixels=0.5),
        "twice the augmentation": replace(how, rotation_degrees=14.0, shift_pixels=2.0),
        "zoom 10 %": replace(how, zoom=0.1),
        "averaged weights, 0.999": replace(how, ema_momentum=0.999),
        "label smoothing 0.05": replace(how, label_smoothing=0.05),
        "weight decay 5e-4": replace(how, weight_decay=5e-4),
        "Adam, peak rate 0.01": replace(how, optimizer="adam", learning_rate=0.01),
    }
    networks = {
        "no normalization, biases": everywhere(norm="none", bias=True),
        "leaky relu": everywhere(activation="leaky_relu"),
        "padding same": everywhere(padding="same"),
        "standard convolutions": scaled(network(c(8), c(16), M, c(16), c(16), c(16))),
        "4 layers": scaled(network(c(8), s(16), M, s(16), s(16))),
        "7 layers": scaled(network(c(8), s(16), M, s(16), s(16), s(16), s(16), s(16))),
        "shared weights, 3 times": scaled(network(c(8), s(16), M, s(16, repeat=3))),
        "shortcuts": scaled(network(c(8), s(16), M, *(Residual((s(16, padding="same"),)) for _ in range(3)))),
        "pooling one layer later": scaled(network(c(8), s(16), s(16), M, s(16), s(16))),
        "pooling one layer earlier": scaled(network(c(8), M, s(16), s(16), s(16), s(16))),
        "no pooling": scaled(network(c(8), s(16), s(16), s(16), s(16))),
        "flattened head": scaled(network(*BASE.layers, M, head="flatten")),
    }
    return {
        **{name: Candidate(BASE, recipe) for name, recipe in recipes.items()},
        **{name: Candidate(architecture, how) for name, architecture in networks.items()},
    }


def train(store: Store, data: Path | None, bases: list[str], seeds: int, workers: int, only: list[str]) -> None:
    """Train the variants that are missing in the store, of all variants or of those named in ``only``."""
    images = load("auto", data)
    known = set()
    for run in (RUNS[base] for base in bases):
        if run not in {one.name for one in store.runs()}:
            store.create_run(run, images.name, images.fingerprint, {"kind": "ablation"})
        store.run(run).check_data(images.name, images.fingerprint)
        known |= {(run, record.key, record.seed) for record in store.records(run)}
    planned = [
        (RUNS[base], name, candidate, seed)
        for seed in range(seeds)
        for base in bases
        for name, candidate in variants(base).items()
        if (RUNS[base], candidate.key, seed) not in known and (not only or name in only)
    ]
    with LocalExecutor(workers) as executor:
        where, resources = share(executor, images), Resources(executor.threads_per_job())
        jobs = [Job(candidate, seed, where, resources=resources) for _, _, candidate, seed in planned]
        for position, outcome in outcomes(executor, jobs):
            (run, name, candidate, seed), measurement = planned[position], outcome.measurement
            store.append(
                Record(
                    run=run,
                    key=candidate.key,
                    name=candidate.key,
                    origin="search",
                    purpose="search",
                    trial=None,
                    seed=seed,
                    dataset=images.name,
                    fingerprint=images.fingerprint,
                    architecture=candidate.architecture,
                    cost=cost(candidate.architecture, images.task),
                    recipe=candidate.recipe.to_dict(),
                    measurement=measurement,
                    provenance=executor.environment(resources).to_dict(),
                )
            )
            result = measurement.failure or f"{100 * (measurement.val_accuracy or 0.0):.2f} %"
            print(f"{run}, {name}, seed {seed}: {result}, {measurement.train_seconds:.0f} s", flush=True)


def compared(store: Store, base_name: str) -> list[dict[str, Any]]:
    """Return a row for each trained variant."""
    scores: dict[str, dict[int, float]] = {}
    for record in store.records(RUNS[base_name]):
        if not record.failed:
            scores.setdefault(record.key, {})[record.seed] = 100 * record.score
    all_variants = variants(base_name)
    base = scores.get(all_variants["base"].key, {})
    rows = []
    for name, candidate in all_variants.items():
        own = scores.get(candidate.key, {})
        paired = [own[seed] - base[seed] for seed in sorted(own) if seed in base]
        if not paired:
            continue
        spread = statistics.stdev(own.values()) if len(own) > 1 else None
        error = statistics.stdev(paired) / math.sqrt(len(paired)) if len(paired) > 1 else None
        found = cost(candidate.architecture, Task())
        rows.append(
            {
                "variant": name,
                "layers": notation(candidate.architecture),
                "params": found.params,
                "macs": found.macs,
                "n": len(own),
                "mean": statistics.fmean(own.values()),
                "std": spread,
                "difference": statistics.fmean(paired),
                "standard_error": error,
            }
        )
    return rows


def main() -> None:
    """Train the missing variants and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--store", type=Path, default=default_path())
    parser.add_argument("--data", type=Path)
    parser.add_argument("--base", default="small", help=f"one or more of {','.join(RUNS)}")
    parser.add_argument("--seeds", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", default="", help="names of variants to train, separated by semicolons")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    bases = given.base.split(",")
    if unknown_bases := set(bases) - set(RUNS):
        parser.error(f"there is no base {min(unknown_bases)!r}; there are {', '.join(RUNS)}")
    with Store(given.store, create=given.seeds > 0) as store:
        if given.seeds:
            only = [name.strip() for name in given.only.split(";") if name.strip()]
            named = [name for base in bases for name in variants(base)]
            unknown = [name for name in only if name not in named]
            if unknown:
                parser.error(f"there is no variant {unknown[0]!r}; there are {', '.join(dict.fromkeys(named))}")
            train(store, given.data, bases, given.seeds, given.workers, only)
        rows = [row for base in bases for row in compared(store, base)]
    if given.json:
        print(json.dumps(rows, indent=2))
        return
    print("| changed | layers | params | MACs | validation | n | difference, points |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        spread = "" if row["std"] is None else f" ± {row['std']:.2f}"
        error = "" if row["standard_error"] is None else f" ± {row['standard_error']:.2f}"
        difference = "" if row["variant"] == "base" else f"{row['difference']:+.2f}{error}"
        print(
            f"| {row['variant']} | `{row['layers']}` | {row['params']:,} | {row['macs'] / 1000:.0f}k | "
            f"{row['mean']:.2f}{spread} % | {row['n']} | {difference} |"
        )


if __name__ == "__main__":
    main()
