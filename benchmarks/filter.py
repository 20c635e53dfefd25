"""Number of candidates costed and filtered per CPU second, against building Keras models for ``count_params()``.

::

    python benchmarks/filter.py --candidates 2000 --built 60 --runs 5

Both sides get unselected draws from the search space, most of them not within the budget. The filter is the one that
every candidate of a run passes through: shapes, parameters, MACs and memory of every layer, and the verdict.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable

import numpy as np

from tinysearch.runtime.backend import load_keras
from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace


def per_second(judge: Callable[[Architecture], object], architectures: list[Architecture]) -> float:
    """Return the number of architectures judged per CPU second."""
    start = time.process_time()
    for architecture in architectures:
        judge(architecture)
    return len(architectures) / (time.process_time() - start)


def main() -> None:
    """Time both sides in turn, and print their speeds and the ratio over all rounds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--candidates", type=int, default=2_000)
    parser.add_argument("--built", type=int, default=60, help="number of candidates that Keras builds")
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    load_keras()
    import keras

    from tinysearch.space.keras_builder import build

    space, budget = SearchSpace(), Budget(options.budget)

    def filtered(architecture: Architecture) -> bool:
        return budget.check(cost(architecture, space.task)).accepted

    def counted(architecture: Architecture) -> bool:
        return bool(build(architecture, space.task).count_params() < options.budget)

    counted(space.sample(np.random.default_rng(0)))
    rounds = []
    for number in range(options.runs):
        rng = np.random.default_rng(number)
        drawn = [space.sample(rng) for _ in range(options.candidates)]
        ours, theirs = per_second(filtered, drawn), per_second(counted, drawn[: options.built])
        rounds.append({"filter_per_second": ours, "built_per_second": theirs, "ratio": ours / theirs})
        keras.backend.clear_session()
    if options.json:
        print(json.dumps(rounds))
        return
    for name in rounds[0]:
        values = [each[name] for each in rounds]
        print(f"{name:<18} {statistics.median(values):>10,.1f}   ({min(values):,.1f} to {max(values):,.1f})")


if __name__ == "__main__":
    main()
