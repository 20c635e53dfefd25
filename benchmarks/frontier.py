"""One search for a whole front against a search below each of several budgets, on a stand-in for training.

::

    python benchmarks/frontier.py --seeds 24 --trials 60 --sides pareto,sweep,apart --processes 2
    python benchmarks/frontier.py --seeds 24 --trials 120 --sides sweep --json >> found.jsonl
    python benchmarks/frontier.py --table found.jsonl

The sides have the same number of trainings in all, baselines not counted:

- ``pareto``: one run of the strategy ``pareto``, which knows the budgets; ``pareto-open`` is one that does not;
- ``sweep``: a run of ``bayesian`` for each budget, which begins with the best networks of the budgets before, scaled,
  and learns from all that was trained for these, as ``tinysearch frontier --strategy bayesian`` does;
- ``apart``: a run of ``bayesian`` for each budget, which knows nothing of the others;
- ``random``: one run of random search;
- ``parego`` and ``budget-at-random``: scalarised ways of a single run, see their classes.

Two figures for each search, both of true quality: that of networks without the luck of their training, but chosen by
the accuracies that were observed. *Hypervolume*: of the networks on the observed front, in powers of ten, error rate
times parameters; the reference point is an error rate of 100 % and twice the largest budget, and networks below the
smallest budget count as ones of that size. *Mean error*: of the winners below each budget, the geometric mean of their
error rates, in percent.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from stand_in import FAMILIES
from strategies import PATIENCE, beginning, record, stand_in

from tinysearch.calls import BUDGETS
from tinysearch.results.hypervolume import of_networks
from tinysearch.results.record import Record
from tinysearch.search.frontier import initial_candidates
from tinysearch.search.given import search_space_of
from tinysearch.search.settings import DEFAULT_LAG
from tinysearch.search.strategies.bayesian import Bayesian, Gain, expected_improvement
from tinysearch.search.strategies.pareto import Pareto
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy
from tinysearch.search.strategies.surrogate import Array
from tinysearch.space.budget import Budget
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

SIDES = ("pareto", "sweep", "apart", "random", "pareto-open", "budget-at-random", "parego")


class BudgetAtRandom(Pareto):
    """Scalarised by a budget: each trial draws one, and has the highest expected improvement below it."""

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Draw a budget, then propose."""
        self.drawn_budget = int(rng.choice(self._levels))
        return super().propose(history, rng, pending)

    def _gain(self, seen: Sequence[Record], mean: Array) -> Gain:
        below = np.array([one.cost.params < self.drawn_budget for one in seen])
        mark = float(mean[below].max(initial=float(mean.min())))

        def gain(candidates: Sequence[Candidate], mean: Array, spread: Array) -> Array:
            fits = np.array([self._cost(one) < self.drawn_budget for one in candidates])
            return np.where(fits, expected_improvement(mean, spread, mark), 0.0)

        return gain


class ParEGO(Pareto):
    """Scalarised by weights (Knowles, 2006): a trial draws them, and models the augmented Chebyshev norm of costs."""

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Draw a weight in steps of a tenth, then propose."""
        self.weight = float(rng.integers(11)) / 10
        return super().propose(history, rng, pending)

    def _observations(self, seen: Sequence[Record], pending: Sequence[Candidate]) -> tuple[Array, Array]:
        x, y = super()._observations(seen, pending)
        sizes = np.log([self._cost(one) for one in (*seen, *pending)])
        errors = (y.max() - y) / max(float(np.ptp(y)), 1e-9)
        low = math.log(min(self._levels))
        large = np.clip((sizes - low) / (math.log(self.problem.budget.params) - low), 0.0, 1.0)
        parts = np.array([self.weight * errors, (1 - self.weight) * large])
        return x, -(parts.max(axis=0) + 0.05 * parts.sum(axis=0))

    def _gain(self, seen: Sequence[Record], mean: Array) -> Gain:
        return Bayesian._gain(self, seen, mean)


def problem_below(budget: int, budgets: tuple[int, ...] = ()) -> Problem:
    """Return the problem that a run below a budget has."""
    return Problem(search_space_of(None, Task(), budget), Budget(budget), Recipe(), budgets=budgets)


def search(
    strategy: Strategy,
    seed: int,
    trials: int,
    lag: int,
    family: str,
    initial: Sequence[Candidate] = (),
    before: Sequence[Record] = (),
) -> list[Record]:
    """Carry out one search, with the lag that real ones have; return its records."""
    problem = strategy.problem
    own = beginning(problem, family)
    first = len(own)
    for trial in range(trials):
        visible = max(first, len(own) - lag + 1)
        pending = [Candidate(one.architecture, problem.recipe) for one in own[visible:]]
        known = {one.key for one in own}
        rng = np.random.default_rng([seed, trial])
        candidate = initial[trial] if trial < len(initial) else None
        for _ in range(PATIENCE):
            if candidate is not None and problem.fits(candidate.architecture) and candidate.key not in known:
                break
            candidate = strategy.propose([*before, *own[:visible]], rng, pending)
        else:
            break
        own.append(record(problem, candidate, trial, "search", family))
    return own


def trained(side: str, seed: int, trials: int, lag: int, family: str) -> list[Record]:
    """Return all that one side trains."""
    largest = max(BUDGETS)
    if side in ("sweep", "apart"):
        found: list[Record] = []
        last: list[Record] = []
        for budget in BUDGETS:
            problem = problem_below(budget)
            apart = side == "apart"
            initial = () if apart else initial_candidates(last, problem.space, budget)
            shares = trials // len(BUDGETS)
            last = search(Bayesian(problem), seed, shares, lag, family, initial, () if apart else found)
            found += last
        return found
    problem = problem_below(largest, () if side == "pareto-open" else BUDGETS)
    makers = {"random": RandomSearch, "budget-at-random": BudgetAtRandom, "parego": ParEGO}
    return search(makers.get(side, Pareto)(problem), seed, trials, lag, family)


def figures(records: Sequence[Record], family: str) -> dict[str, Any]:
    """Return hypervolume and mean error of what was found, and the true error of the winner below each budget."""
    true = stand_in(family).expected
    chosen: list[Record] = []
    for one in sorted(records, key=lambda one: (one.cost.params, -one.score)):
        if not chosen or one.score > chosen[-1].score:
            chosen.append(one)
    front = [(one.cost.params, true(one.architecture)) for one in chosen]
    errors = [100 * (1 - next(value for params, value in front[::-1] if params < budget)) for budget in BUDGETS]
    return {
        "hypervolume": of_networks(front, BUDGETS),
        "mean_error": statistics.geometric_mean(errors),
        "errors": [round(error, 4) for error in errors],
    }


def measured(side: str, seed: int, trials: int, lag: int, family: str) -> dict[str, Any]:
    """Carry out one side with one seed."""
    start = time.process_time()
    found = figures(trained(side, seed, trials, lag, family), family)
    seconds = round(time.process_time() - start, 1)
    return {"side": side, "seed": seed, "trials": trials, "lag": lag, "family": family, **found, "seconds": seconds}


def spread(values: Sequence[float], digits: int) -> str:
    """Return mean and standard error."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.fmean(values):.{digits}f} ± {error:.{digits}f}"


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table, a row for each side and number of trainings."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for one in found:
        groups.setdefault((one["family"], one["lag"], one["trials"], one["side"]), []).append(one)
    budgets = " | ".join(f"{budget:,}" for budget in BUDGETS)
    lines = [
        f"| stand-in | lag | trainings | side | n | hypervolume | mean error, % | {budgets} | CPU s |",
        "| --- | ---: | ---: | --- | ---: |" + " ---: |" * (len(BUDGETS) + 3),
    ]
    for (family, lag, trials, side), group in sorted(groups.items()):
        errors = [spread([one["errors"][place] for one in group], 2) for place in range(len(BUDGETS))]
        lines.append(
            f"| {family} | {lag} | {trials} | {side} | {len(group)} "
            f"| {spread([one['hypervolume'] for one in group], 3)} "
            f"| {spread([one['mean_error'] for one in group], 3)} "
            f"| {' | '.join(errors)} | {statistics.fmean(one['seconds'] for one in group):.0f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", default=",".join(SIDES[:3]), help="names, separated by commas")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--trials", type=int, default=60, help="of all budgets together")
    parser.add_argument("--lag", type=int, default=DEFAULT_LAG)
    parser.add_argument("--stand-in", choices=FAMILIES, default=FAMILIES[0], help="family of the model")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print a line of JSON for each search instead of a table")
    parser.add_argument("--table", type=Path, help="print a table of such lines, and search nothing")
    options = parser.parse_args()
    if options.table is not None:
        print(table([json.loads(line) for line in options.table.read_text().splitlines()]))
        return
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    found = []
    with ProcessPoolExecutor(options.processes) as executor:
        futures = [
            executor.submit(measured, side, seed, options.trials, options.lag, options.stand_in)
            for seed in range(options.first_seed, options.first_seed + options.seeds)
            for side in options.sides.split(",")
        ]
        for future in futures:
            found.append(future.result())
            if options.json:
                print(json.dumps(found[-1]), flush=True)
            else:
                print(f"{found[-1]['side']}, seed {found[-1]['seed']}", file=sys.stderr)
    if not options.json:
        print(table(found))


if __name__ == "__main__":
    main()
