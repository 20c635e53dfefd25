"""Compare search strategies on a stand-in for training, see ``stand_in.py``.

::

    python benchmarks/strategies.py --seeds 50 --trials 100 --budget 10000
    python benchmarks/strategies.py --strategies random,keras-tuner:Hyperband --seeds 5 --json
    python benchmarks/strategies.py --strategies plain,random,bayesian --trials 20 --budget 3000 --designs 0,5 --regret

``plain`` is the rule that draws plain stages, see ``plain_stages.py``. ``--designs`` is the number of designs that
strategies begin with, if they use designs; with ``--regret`` it may be several numbers, which are compared.
``--regret`` prints another table: the accuracy without luck of the leader after several numbers of trainings, mean and
standard error over seeds.

Each seed is a separate world, in which other networks are lucky; all strategies search the same worlds. Each search
begins with the hand-designed baselines, and has the default lag of a run unless ``--lag`` is given. As in a real run, a
candidate that is over the budget or known is rejected and costs nothing. A search continues until it has both
``--trials`` trials and the number of epochs that these would have if each were trained in full, so that strategies that
train for fewer epochs can also be compared after equal numbers of epochs.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
from plain_stages import PlainStages
from stand_in import FAMILIES, StandIn

from tinysearch.baselines.models import architectures
from tinysearch.results.record import Epoch, Measurement, Origin, Record
from tinysearch.search.settings import DEFAULT_LAG
from tinysearch.search.strategies.registry import STRATEGIES, strategy
from tinysearch.search.strategies.strategy import Problem, Strategy, begun_with
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

CHECKPOINTS = (0.1, 0.2, 0.5, 1.0)
OFTEN = (3, 5, 10, 15, 20, 30, 50, 100)
PATIENCE = 1_000
TIMED_HISTORY = 1_000
# Number of validation images of the trainings that the stand-in is fitted to.
IMAGES = 800


@dataclass(frozen=True)
class Search:
    """Results of one search. For each trial: epochs, score, and score without luck (scores of full trainings only)."""

    strategy: str
    seed: int
    epochs: list[int]
    scores: list[float | None]
    expected: list[float | None]
    asks: int

    def best(self, trials: int) -> tuple[float, float] | None:
        """Return the best score among the first trials, and the score of that network without luck."""
        seen = [
            (score, expected)
            for score, expected in zip(self.scores[:trials], self.expected, strict=False)
            if score is not None and expected is not None
        ]
        return max(seen) if seen else None

    def trials_within(self, epochs: int) -> int:
        """Return the number of trials that fit into a number of epochs."""
        return int(np.searchsorted(np.cumsum(self.epochs), epochs, side="right"))


@cache
def fitted(family: str) -> StandIn:
    """Return a stand-in, fitted once per process."""
    return StandIn.fit(family)


def stand_in(family: str, seed: int) -> StandIn:
    """Return the stand-in of a seed: each seed is a separate world, in which other networks are lucky."""
    return replace(fitted(family), world=seed)


def record(problem: Problem, candidate: Candidate, trial: int | None, origin: Origin, family: str, seed: int) -> Record:
    """Return the record of a candidate as a run passes it to its strategy: with the cost, but without its layers."""
    score = stand_in(family, seed).score(candidate, problem.recipe.epochs)
    cost = problem.space.cost(candidate.architecture)
    assert cost is not None  # noqa: S101
    return Record(
        run="benchmark",
        key=candidate.key,
        name=candidate.key,
        origin=origin,
        purpose="search",
        trial=trial,
        seed=0,
        dataset="stand-in",
        fingerprint="",
        architecture=candidate.architecture,
        cost=replace(cost, layers=()),
        recipe=candidate.recipe.to_dict(),
        measurement=Measurement((Epoch(0.0, 0.0, None, score, 0.0, 0.0),)),
    )


def beginning(problem: Problem, family: str, seed: int) -> list[Record]:
    """Return the records of the hand-designed baselines that are within the budget."""
    fitting = [network for network in architectures().values() if problem.fits(network)]
    return [record(problem, Candidate(network, problem.recipe), None, "baseline", family, seed) for network in fitting]


def made(name: str, problem: Problem) -> Strategy:
    """Return a strategy of tinysearch, or the rule of plain stages."""
    return PlainStages(problem) if name == "plain" else strategy(name, problem)


def search(
    name: str,
    seed: int,
    trials: int,
    budget: int,
    family: str = FAMILIES[0],
    designs: int = 0,
    lag: int = DEFAULT_LAG,
) -> Search:
    """Run one search: a proposal knows the results of all but the latest trials, as in a real run."""
    problem = Problem(SearchSpace(), Budget(budget), Recipe(), images=IMAGES)
    proposer = made(name, problem)
    first = begun_with(proposer, designs)
    history = beginning(problem, family, seed)
    proposed = [Candidate(each.architecture, problem.recipe) for each in history]
    known = {each.key for each in history}
    found = Search(name, seed, [], [], [], 0)
    asks = 0
    while len(found.epochs) < trials or sum(found.epochs) < trials * problem.recipe.epochs:
        number = len(found.epochs)
        rng = np.random.default_rng([seed, number])
        past = max(0, len(history) - lag + 1)
        for _ in range(PATIENCE):
            candidate = first[number] if number < len(first) else proposer.propose(history[:past], rng, proposed[past:])
            asks += 1
            if problem.fits(candidate.architecture) and candidate.key not in known:
                break
        else:
            break
        known.add(candidate.key)
        proposed.append(candidate)
        history.append(record(problem, candidate, number, "search", family, seed))
        whole = candidate.recipe == problem.recipe
        found.epochs.append(candidate.recipe.epochs)
        found.scores.append(history[-1].score if whole else None)
        found.expected.append(stand_in(family, seed).expected(candidate.architecture) if whole else None)
    return Search(name, seed, found.epochs, found.scores, found.expected, asks)


def seconds_per_proposal(name: str, budget: int, family: str, repetitions: int = 5) -> float:
    """Return the median CPU seconds of a proposal after 1,000 trials of random search."""
    problem = Problem(SearchSpace(), Budget(budget), Recipe(), images=IMAGES)
    rng = np.random.default_rng(0)
    history = beginning(problem, family, 0)
    for trial in range(TIMED_HISTORY):
        candidate = strategy("random", problem).propose(history, rng)
        history.append(record(problem, candidate, trial, "search", family, 0))
    proposer = made(name, problem)
    proposer.propose(history, rng)
    taken = []
    for _ in range(repetitions):
        start = time.process_time()
        proposer.propose(history, rng)
        taken.append(time.process_time() - start)
    return statistics.median(taken)


def quartiles(values: Sequence[float | None]) -> list[float] | None:
    """Return the quartiles; None if fewer than three quarters of the values are not None."""
    there = [value for value in values if value is not None]
    return np.quantile(there, [0.25, 0.5, 0.75]).tolist() if 4 * len(there) >= 3 * len(values) else None


def summary(name: str, searches: Sequence[Search], trials: int, epochs: int, seconds: float) -> dict[str, Any]:
    """Return the figures of one strategy as plain JSON values."""
    result: dict[str, Any] = {"strategy": name, "seeds": len(searches), "trials": {}, "epochs": {}, "expected": {}}
    for share in CHECKPOINTS:
        number = round(share * trials)
        bests = [each.best(number) for each in searches]
        result["trials"][str(number)] = quartiles([best[0] if best else None for best in bests])
        equal = [each.best(each.trials_within(number * epochs)) for each in searches]
        result["epochs"][str(number * epochs)] = quartiles([best[0] if best else None for best in equal])
        result["expected"][str(number * epochs)] = quartiles([best[1] if best else None for best in equal])
    asks = sum(each.asks for each in searches)
    result["rejected_share"] = 1 - sum(len(each.epochs) for each in searches) / asks
    result["proposal_cpu_seconds_at_1000"] = seconds
    return result


def table(results: Sequence[dict[str, Any]], part: str, title: str) -> str:
    """Return a Markdown table in percent, with a row for each strategy and a column for each checkpoint."""
    columns = list(results[0][part])
    lines = [
        f"| {title} | " + " | ".join(f"{int(column):,}" for column in columns) + " |",
        "| --- |" + " ---: |" * len(columns),
    ]
    for result in results:
        cells = []
        for column in columns:
            found = result[part][column]
            cells.append("-" if found is None else "{1:.2f} ({0:.2f} to {2:.2f})".format(*(100 * v for v in found)))
        lines.append(f"| {result['strategy']} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def worth(searches: Sequence[Search], trials: int) -> list[str]:
    """Return the accuracies without luck of leaders after several numbers of trials, in percent, as text."""
    cells = []
    for number in (number for number in OFTEN if number <= trials):
        found = [100 * best[1] for each in searches if (best := each.best(number)) is not None]
        error = statistics.stdev(found) / len(found) ** 0.5 if len(found) > 1 else 0.0
        cells.append(f"{statistics.fmean(found):.2f} ± {error:.2f}")
    return cells


def report(results: Sequence[dict[str, Any]]) -> str:
    """Return all tables as Markdown."""
    costs = ["| strategy | CPU s per proposal at 1,000 trials | asks rejected |", "| --- | ---: | ---: |"]
    for result in results:
        seconds, rejected = result["proposal_cpu_seconds_at_1000"], 100 * result["rejected_share"]
        costs.append(f"| {result['strategy']} | {seconds:.3f} | {rejected:.1f} % |")
    return "\n\n".join(
        [
            table(results, "trials", "best score after … trials"),
            table(results, "epochs", "best score after … epochs"),
            table(results, "expected", "the same network without luck"),
            "\n".join(costs),
        ]
    )


def regrets(options: argparse.Namespace, numbers: Sequence[int]) -> None:
    """Print the accuracies without luck of leaders, with a row for each strategy and number of designs."""
    columns = [number for number in OFTEN if number <= options.trials]
    print(f"| below {options.budget:,}, {options.seeds} seeds | " + " | ".join(map(str, columns)) + " |")
    print("| --- |" + " ---: |" * len(columns), flush=True)
    with ProcessPoolExecutor(options.processes) as executor:
        for name in options.strategies.split(","):
            begins = made(name, Problem(SearchSpace(), Budget(options.budget), Recipe())).begins_with_designs
            for number in numbers if begins else [0]:
                given = (options.trials, options.budget, options.stand_in, number, options.lag)
                futures = [executor.submit(search, name, seed, *given) for seed in range(options.seeds)]
                title = f"{name}, {number} designs" if begins else name
                print(
                    f"| {title} | " + " | ".join(worth([f.result() for f in futures], options.trials)) + " |",
                    flush=True,
                )


def main() -> None:
    """Run the searches and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="names, separated by commas")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--stand-in", choices=FAMILIES, default=FAMILIES[0], help="family of the stand-in's model")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--designs", default="0", help="number of initial designs; with --regret several")
    parser.add_argument("--lag", type=int, default=DEFAULT_LAG, help="see benchmarks/lag.py")
    parser.add_argument("--regret", action="store_true", help="print the quality of leaders by number of trials")
    parser.add_argument(
        "--json", action="store_true", help="print a line of JSON for each finished strategy instead of tables"
    )
    options = parser.parse_args()
    results = []
    numbers = [int(number) for number in options.designs.split(",")]
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if options.regret:
        regrets(options, numbers)
        return
    with ProcessPoolExecutor(options.processes) as executor:
        for name in options.strategies.split(","):
            futures = [
                executor.submit(
                    search, name, seed, options.trials, options.budget, options.stand_in, numbers[0], options.lag
                )
                for seed in range(options.seeds)
            ]
            seconds = executor.submit(seconds_per_proposal, name, options.budget, options.stand_in).result()
            searches = [future.result() for future in futures]
            results.append(summary(name, searches, options.trials, Recipe().epochs, seconds))
            print(f"{name}: {options.seeds} searches", file=sys.stderr)
            if options.json:
                print(json.dumps(results[-1]), flush=True)
    if not options.json:
        print(report(results))


if __name__ == "__main__":
    main()
