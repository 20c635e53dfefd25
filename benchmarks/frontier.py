"""Compare one search for a whole front with a search below each of several budgets, on a stand-in for training.

::

    python benchmarks/frontier.py --seeds 24 --trials 60,120 --processes 2
    python benchmarks/frontier.py --seeds 24 --trials 60,120 --limit 240    # in pieces, until all are done

All sides have the same total number of trainings, not counting baselines:

- ``pareto``: one run of the strategy ``pareto``, which knows the budgets; ``pareto-open`` does not know them, and the
  prior of ``pareto-leaning`` leans to the geometric mean of the budgets instead of the largest;
- ``sweep``: a run of ``bayesian`` for each budget, which begins with the best networks of the previous budget, scaled,
  and learns from the trainings of all previous budgets, as ``tinysearch frontier --strategy bayesian`` does;
- ``apart``: a run of ``bayesian`` for each budget, which does not know the others;
- ``random``: one run of random search;
- ``parego`` and ``budget-at-random``: single runs with scalarised objectives, see their classes.

Each search has two figures, both of true quality: networks are chosen by their observed accuracies, but scored without
the luck of their training. *Hypervolume* of the networks on the observed front, in powers of ten, error rate times
parameters; the reference point is an error rate of 100 % and twice the largest budget, and networks below the smallest
budget count as having that size. *Mean error*: the geometric mean of the error rates of the winners below each budget,
in percent.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from stand_in import FAMILIES
from strategies import PATIENCE, beginning, fitted, record, stand_in

from tinysearch.results.hypervolume import of_networks
from tinysearch.results.record import Record
from tinysearch.search.frontier import initial_candidates
from tinysearch.search.given import search_space_of
from tinysearch.search.settings import DEFAULT_LAG, RunSettings
from tinysearch.search.strategies.bayesian import Bayesian, Gain
from tinysearch.search.strategies.observations import Observations, Replicates
from tinysearch.search.strategies.pareto import Pareto
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Problem, Strategy, begun_with
from tinysearch.search.strategies.surrogate import Array, expected_improvement
from tinysearch.space.budget import BUDGETS, Budget
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

SIDES = ("pareto", "sweep", "apart", "random", "pareto-open", "pareto-leaning", "budget-at-random", "parego")


class Search(NamedTuple):
    """Settings of one search.

    Args:
        side: One of ``SIDES``.
        seed: Seed of its random numbers.
        trials: Number of trainings of all budgets together.
        lag: See ``RunSettings``.
        pool: Number of mutants that each proposal considers.
        designs: Number of designs it begins with, see ``begun_with``.
        family: Family of the stand-in.
    """

    side: str
    seed: int
    trials: int
    lag: int
    pool: int
    designs: int
    family: str


class BudgetAtRandom(Pareto):
    """Strategy scalarised by a budget: each trial draws one, and maximizes the expected improvement below it."""

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
    """Strategy scalarised by weights (Knowles, 2006): each trial draws one for an augmented Chebyshev norm of costs."""

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Draw a weight in steps of a tenth, then propose."""
        self.weight = float(rng.integers(11)) / 10
        return super().propose(history, rng, pending)

    def _targets(self, seen: Sequence[Replicates]) -> Observations:
        results = super()._targets(seen)
        unit = max(float(np.ptp(results.values)), 1e-9)
        low, high = math.log(min(self._levels)), math.log(self.problem.budget.params)
        sizes = np.log([self._cost(one.first) for one in seen])
        parts = np.array(
            [
                self.weight * (results.values.max() - results.values) / unit,
                (1 - self.weight) * np.clip((sizes - low) / (high - low), 0.0, 1.0),
            ]
        )
        norms = parts.max(axis=0) + 0.05 * parts.sum(axis=0)
        return Observations(-norms, results.errors * (self.weight / unit) ** 2)

    def _gain(self, seen: Sequence[Record], mean: Array) -> Gain:
        return Bayesian._gain(self, seen, mean)


def problem_below(budget: int, budgets: tuple[int, ...] = (), leaning: int | None = None) -> Problem:
    """Return the problem of a run below a budget; its prior leans to ``leaning``, or to this budget if None."""
    return Problem(search_space_of(None, Task(), leaning or budget), Budget(budget), Recipe(), budgets=budgets)


def searched(
    given: Search,
    strategy: Strategy,
    trials: int,
    initial: Sequence[Candidate] = (),
    before: Sequence[Record] = (),
) -> list[Record]:
    """Run a search below one budget, with a lag as in a real run; return its records."""
    problem = strategy.problem
    own = beginning(problem, given.family, given.seed)
    initial = [*initial, *begun_with(strategy, given.designs)]
    first = len(own)
    for trial in range(trials):
        visible = max(first, len(own) - given.lag + 1)
        pending = [Candidate(one.architecture, problem.recipe) for one in own[visible:]]
        known = {one.key for one in own}
        rng = np.random.default_rng([given.seed, trial])
        candidate = initial[trial] if trial < len(initial) else None
        for _ in range(PATIENCE):
            if candidate is not None and problem.fits(candidate.architecture) and candidate.key not in known:
                break
            candidate = strategy.propose([*before, *own[:visible]], rng, pending)
        else:
            break
        own.append(record(problem, candidate, trial, "search", given.family, given.seed))
    return own


def trained(given: Search) -> list[Record]:
    """Return the records of all trainings of one side."""
    side, largest = given.side, max(BUDGETS)
    small = {"pool": given.pool, "drawn": given.pool}
    if side in ("sweep", "apart"):
        found: list[Record] = []
        last: list[Record] = []
        for budget in BUDGETS:
            problem = problem_below(budget)
            apart = side == "apart"
            initial = () if apart else initial_candidates(last, problem.space, budget)
            last = searched(
                given, Bayesian(problem, **small), given.trials // len(BUDGETS), initial, () if apart else found
            )
            found += last
        return found
    leaning = round(statistics.geometric_mean(BUDGETS)) if side == "pareto-leaning" else None
    problem = problem_below(largest, () if side == "pareto-open" else BUDGETS, leaning)
    if side == "random":
        return searched(given, RandomSearch(problem), given.trials)
    maker = {"budget-at-random": BudgetAtRandom, "parego": ParEGO}.get(side, Pareto)
    return searched(given, maker(problem, **small), given.trials)


def figures(records: Sequence[Record], family: str, seed: int) -> dict[str, Any]:
    """Return hypervolume and mean error of the networks found, and the true error of the winner below each budget."""
    true = stand_in(family, seed).expected
    chosen: list[Record] = []
    for one in sorted(records, key=lambda one: (one.cost.params, -one.score)):
        if not chosen or one.score > chosen[-1].score:
            chosen.append(one)
    front = [(one.cost.params, true(one.architecture)) for one in chosen]
    winners = [next((value for params, value in front[::-1] if params < budget), 0.0) for budget in BUDGETS]
    errors = [100 * (1 - value) for value in winners]
    return {
        "hypervolume": of_networks(front, BUDGETS),
        "mean_error": statistics.geometric_mean(errors),
        "errors": [round(error, 4) for error in errors],
    }


def measured(search: Search) -> dict[str, Any]:
    """Run one search; return its settings and its figures."""
    start = time.process_time()
    found = figures(trained(search), search.family, search.seed)
    return {**search._asdict(), **found, "worlds": True, "seconds": round(time.process_time() - start, 1)}


def read(path: Path) -> list[dict[str, Any]]:
    """Return the saved searches; none if there is no such file.

    Searches saved by earlier versions, where seeds did not have their own worlds, are left out.
    """
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return [row for row in rows if row.get("worlds")]


def spread(values: Sequence[float], digits: int) -> str:
    """Return mean and standard error as text."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{statistics.fmean(values):.{digits}f} ± {error:.{digits}f}"


def table(found: Sequence[dict[str, Any]]) -> str:
    """Return a Markdown table with a row for each combination of settings."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for one in found:
        groups.setdefault(
            (one["family"], one["lag"], one["pool"], one["designs"], one["trials"], one["side"]), []
        ).append(one)
    budgets = " | ".join(f"{budget:,}" for budget in BUDGETS)
    lines = [
        f"| stand-in | lag | pool | designs | trainings | side | n | hypervolume | mean error, % | {budgets} | CPU s |",
        "| --- | ---: | ---: | ---: | ---: | --- | ---: |" + " ---: |" * (len(BUDGETS) + 3),
    ]
    for (family, lag, pool, designs, trials, side), group in sorted(groups.items()):
        errors = [spread([one["errors"][place] for one in group], 2) for place in range(len(BUDGETS))]
        lines.append(
            f"| {family} | {lag} | {pool} | {designs} | {trials} | {side} | {len(group)} "
            f"| {spread([one['hypervolume'] for one in group], 3)} "
            f"| {spread([one['mean_error'] for one in group], 3)} "
            f"| {' | '.join(errors)} | {statistics.fmean(one['seconds'] for one in group):.0f} |"
        )
    return "\n".join(lines)


def carry_out(planned: Sequence[Search], processes: int, limit: float, save: Path) -> None:
    """Run searches, and append a line of JSON for each to a file; start none after ``limit`` seconds."""
    end = time.monotonic() + limit
    save.parent.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(processes) as executor, save.open("a", encoding="utf-8") as lines:
        waiting = list(planned)
        running: set[Future[dict[str, Any]]] = set()
        while running or (waiting and time.monotonic() < end):
            while waiting and len(running) < processes and time.monotonic() < end:
                running.add(executor.submit(measured, waiting.pop(0)))
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                print(json.dumps(future.result()), file=lines, flush=True)


def main() -> None:
    """Run the searches that are not saved yet, and print a table of all saved ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sides", default=",".join(SIDES[:3]), help=f"some of {','.join(SIDES)}")
    parser.add_argument("--seeds", type=int, default=24)
    parser.add_argument("--trials", default="60", help="trials of all budgets together; numbers separated by commas")
    parser.add_argument("--lag", type=int, default=DEFAULT_LAG)
    parser.add_argument("--pool", type=int, default=120, help="mutants that a proposal considers; fewer are faster")
    parser.add_argument("--designs", type=int, default=RunSettings().designs)
    parser.add_argument("--stand-in", choices=FAMILIES, default=FAMILIES[0], help="family of the stand-in's model")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument(
        "--save", type=Path, default=Path("runs/frontier.jsonl"), help="finished searches, which are not repeated"
    )
    parser.add_argument("--limit", type=float, default=math.inf, help="seconds after which no search is started")
    options = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    # Forked processes share it.
    fitted(options.stand_in)
    known = read(options.save)
    planned = [
        Search(side, seed, int(trials), options.lag, options.pool, options.designs, options.stand_in)
        for seed in range(options.seeds)
        for trials in options.trials.split(",")
        for side in options.sides.split(",")
    ]
    done = {Search(**{name: one[name] for name in Search._fields}) for one in known}
    carry_out([one for one in planned if one not in done], options.processes, options.limit, options.save)
    print(table(read(options.save)))


if __name__ == "__main__":
    main()
