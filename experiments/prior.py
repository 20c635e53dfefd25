"""Options that good networks below a budget have more often than others: weights for the prior of the search space.

::

    python experiments/prior.py                    # from the reference archive and ingredients.json
    python experiments/prior.py --evidence mnist-10-epochs.json
    python experiments/prior.py --draw 400 --budgets 1000,3000,10000

Networks are compared with others from the same source with a similar number of parameters; the third with the lowest
error rates are the good ones. For each option the table has its share among all networks and among the good ones. The
factor for the weight of the prior is their ratio, shrunk towards 1 by ``PSEUDO`` networks with equal shares.

``--draw N`` prints the accuracy of draws from the prior of the search space on the stand-in of ``benchmarks``, which is
fitted to other trainings: the mean and the mean of the best tenth of N networks below each budget.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from tinysearch.errors import SpaceError
from tinysearch.results.archive import REFERENCE, read
from tinysearch.space.architecture import Architecture, Conv, Head, Layer, Pool, SeparableConv
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task
from tinysearch.space.translation import from_architecture

INGREDIENTS = Path(__file__).with_name("ingredients.json")
PSEUDO = 20
BOUNDS = (0, 1_000, 2_000, 3_000, 5_000, 8_000, 10_000)
_WORD = re.compile(r"([cs])(\d+)(=?)|M")

Seen = tuple[str, Architecture, float]


def archived() -> Iterator[Seen]:
    """Yield source, network and error rate of the trainings of searches, without baselines."""
    for record in read(REFERENCE).records():
        if record.purpose == "search" and record.origin == "search" and not record.failed:
            yield "archive", record.architecture, 1 - record.score


def listed(path: Path) -> Iterator[Seen]:
    """Yield source, network and error rate of a file of plain stages.

    Networks whose notation is not understood or whose recipe is unusual are left out.
    """
    for row in json.loads(path.read_text(encoding="utf-8"))["rows"]:
        network = drawn(row["network"])
        unusual = set(row.get("changed", {})) - {"rot", "shift", "lr"}
        if network is not None and row.get("norm", "bn4") == "bn4" and not unusual:
            yield path.stem, network, 1 - float(np.mean(row["validation"])) / 100


def drawn(words: str) -> Architecture | None:
    """Return the network of a line such as ``c5 s8 M s10 s10``; None if the line has other words."""
    layers: list[Layer] = []
    for word in words.split():
        found = _WORD.fullmatch(word)
        if found is None:
            return None
        if word == "M":
            layers.append(Pool())
            continue
        kind = Conv if found[1] == "c" else SeparableConv
        padding = "same" if found[3] else "valid"
        layers.append(kind(int(found[2]), padding=padding, norm="before", bias=False))
    return Architecture(tuple(layers), Head("average"))


def options_of(network: Architecture) -> Iterator[tuple[str, str]]:
    """Yield the choices that define a network, each with its option."""
    blocks = from_architecture(network)["blocks"]
    pooled = [index for index, block in enumerate(blocks) if block["pool"] != "none"]
    yield "first pooling after layer", str(pooled[0] + 1) if pooled else "none"
    yield "poolings", str(len(pooled))
    yield "layers", str(len(blocks))
    if pooled:
        yield "layers after the first pooling", str(len(blocks) - 1 - pooled[0])
    for place, block in enumerate(blocks, start=1):
        where = f"layer {place}" if place < 3 else "later layers"
        yield f"kind of {where}", block["kind"]
        if block["kind"] != "inception":
            for name in ("kernel", "padding", "repeat", "shortcut", "stride"):
                yield name, str(block[name])
        if block["pool"] != "none":
            yield "pooling", block["pool"]


def shares(seen: list[Seen], low: int, high: int) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Return share among all, share among the good networks and factor for each choice and option."""
    everyone: dict[str, Counter[str]] = {}
    good: dict[str, Counter[str]] = {}
    for source in {source for source, _, _ in seen}:
        band = [
            (network, error)
            for own, network, error in seen
            if own == source and low < cost(network, Task()).params < high
        ]
        if len(band) < 6:
            continue
        bar = float(np.quantile([error for _, error in band], 1 / 3))
        for network, error in band:
            try:
                options = list(options_of(network))
            except SpaceError:
                continue
            for choice, option in options:
                everyone.setdefault(choice, Counter())[option] += 1
                if error <= bar:
                    good.setdefault(choice, Counter())[option] += 1
    found: dict[str, dict[str, tuple[float, float, float]]] = {}
    for choice, counts in everyone.items():
        best = good.get(choice, Counter())
        for option, count in counts.items():
            share, among = count / counts.total(), best[option] / max(1, best.total())
            factor = (best[option] + PSEUDO * share) / ((best.total() + PSEUDO) * share)
            found.setdefault(choice, {})[option] = (share, among, factor)
    return found


def worth(number: int, budgets: list[int]) -> None:
    """Print the accuracy of draws from the prior on the stand-in."""
    sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))
    from stand_in import StandIn

    known = StandIn.fit()
    for budget in budgets:
        space, rng = SearchSpace(Task(), tree_of({}, budget)), np.random.default_rng(0)
        networks = [space.sample_between(round(0.8 * budget), budget, rng) for _ in range(number)]
        values = np.sort([100 * known.expected(one) for one in networks if one is not None])
        error = values.std(ddof=1) / math.sqrt(len(values))
        best = values[-len(values) // 10 :].mean()
        print(f"below {budget:,}: {values.mean():.2f} ± {error:.2f} %, the best tenth {best:.2f} % (n = {len(values)})")


def main() -> None:
    """Print the shares for each range of parameters, or the accuracy of draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--evidence", type=Path, help="a file of plain stages in the format of ingredients.json")
    parser.add_argument("--draw", type=int, default=0)
    parser.add_argument("--budgets", default="1000,3000,10000")
    options = parser.parse_args()
    if options.draw:
        worth(options.draw, [int(budget) for budget in options.budgets.split(",")])
        return
    seen = [*archived(), *listed(INGREDIENTS), *(listed(options.evidence) if options.evidence else ())]
    print(f"{len(seen)} networks")
    for low, high in ((0, 2_000), (2_000, 10_000)):
        print(f"\n| {low:,} to {high:,} parameters | option | all | the best third | factor |")
        print("| --- | --- | ---: | ---: | ---: |")
        for choice, rows in sorted(shares(seen, low, high).items()):
            for option, (share, among, factor) in sorted(rows.items()):
                print(f"| {choice} | {option} | {100 * share:.0f} % | {100 * among:.0f} % | {factor:.2f} |")


if __name__ == "__main__":
    main()
