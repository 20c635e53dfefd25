"""Accuracy that a search loses because of its lag, on a stand-in for training (see ``stand_in.py``).

With a lag of L, the proposal at position i depends on the results of positions 0 to i - L, so L trainings can run at a
time. Positions count the hand-designed baselines, as in a run::

    python benchmarks/lag.py --seeds 60 --save lag.jsonl
    python benchmarks/lag.py --seeds 60 --save lag.jsonl --limit 240    # in pieces of four minutes, until all are done

The figure is the accuracy without luck of the leader after a number of trials: among the networks trained for the most
epochs, the one with the best score. Searches with the same seed use the same random numbers at every lag, so
differences from the first lag are paired by seed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path

import numpy as np
from stand_in import FAMILIES
from strategies import PATIENCE, beginning, fitted, record, stand_in

from tinysearch.results.record import Record
from tinysearch.search.settings import RunSettings
from tinysearch.search.strategies.registry import STRATEGIES, strategy
from tinysearch.search.strategies.strategy import Problem, begun_with
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

# Strategy, lag, seed, number of designs.
Search = tuple[str, int, int, int]


def leaders(search: Search, checkpoints: Sequence[int], budget: int, family: str) -> list[float]:
    """Run one search; return the accuracy without luck of the leader after each number of trials in ``checkpoints``."""
    name, lag, seed, designs = search
    problem = Problem(SearchSpace(), Budget(budget), Recipe())
    proposer = strategy(name, problem)
    records = beginning(problem, family, seed)
    baselines = len(records)
    proposed = [Candidate(each.architecture, problem.recipe) for each in records]
    keys = {each.key for each in records}
    first = begun_with(proposer, designs)
    for trial in range(checkpoints[-1]):
        known = max(0, len(records) - lag + 1)
        rng = np.random.default_rng([seed, trial])
        for _ in range(PATIENCE):
            past, pending = records[:known], proposed[known:]
            candidate = first[trial] if trial < len(first) else proposer.propose(past, rng, pending)
            if problem.fits(candidate.architecture) and candidate.key not in keys:
                break
        else:
            raise RuntimeError(f"{name} with a lag of {lag} proposed nothing new {PATIENCE:,} times")
        keys.add(candidate.key)
        proposed.append(candidate)
        records.append(record(problem, candidate, trial, "search", family, seed))
    searched = records[baselines:]
    return [stand_in(family, seed).expected(leader(searched[:trials]).architecture) for trials in checkpoints]


def leader(records: Sequence[Record]) -> Record:
    """Return the leading record: the most epochs, then the best score."""
    return max(records, key=lambda each: (each.recipe["epochs"], each.score))


def finished(path: Path) -> dict[Search, list[float]]:
    """Return the finished searches in a file; those of earlier versions, without a number of designs, are left out."""
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return {
        (row["strategy"], row["lag"], row["seed"], row["designs"]): row["leaders"] for row in rows if "designs" in row
    }


def points(values: Sequence[float], sign: str = "") -> str:
    """Return the mean of fractions and its standard error as text, in percent."""
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{100 * statistics.mean(values):{sign}.3f} ± {100 * error:.3f}"


def table(
    found: dict[Search, list[float]], names: Sequence[str], lags: Sequence[int], designs: int, checkpoint: int
) -> str:
    """Return a Markdown table: for each strategy the means, then the differences from the first lag, paired by seed."""
    lines = [f"| strategy | n | {' | '.join(map(str, lags))} |", "| --- | ---: |" + " ---: |" * len(lags)]
    for name in names:
        every = sorted({key[2] for key in found})
        seeds = [seed for seed in every if all((name, lag, seed, designs) in found for lag in lags)]
        if not seeds:
            continue
        columns = [[found[name, lag, seed, designs][checkpoint] for seed in seeds] for lag in lags]
        lines.append(f"| {name} | {len(seeds)} | {' | '.join(points(column) for column in columns)} |")
        pairs = [[late - early for late, early in zip(column, columns[0], strict=True)] for column in columns[1:]]
        lines.append(f"| difference | | | {' | '.join(points(pair, '+') for pair in pairs)} |")
    return "\n".join(lines)


def within(seconds: float, searches: Iterable[Search]) -> Iterator[Search]:
    """Yield searches until the time is up."""
    end = time.monotonic() + seconds
    return itertools.takewhile(lambda _: time.monotonic() < end, searches)


def main() -> None:
    """Run the searches that are not finished, and print the tables of all finished ones."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", default=",".join(STRATEGIES), help="names, separated by commas")
    parser.add_argument("--lags", default="1,2,4,8,16")
    parser.add_argument("--trials", default="20,50", help="numbers of trials, separated by commas")
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--budget", type=int, default=10_000)
    parser.add_argument("--designs", type=int, default=RunSettings().designs, help="number of initial designs")
    parser.add_argument("--stand-in", choices=FAMILIES, default=FAMILIES[0], help="family of the stand-in's model")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--save", type=Path, help="file of finished searches; these are not repeated")
    parser.add_argument("--limit", type=float, default=math.inf, help="seconds after which no search is started")
    given = parser.parse_args()
    names = given.strategies.split(",")
    lags, checkpoints = ([int(number) for number in words.split(",")] for words in (given.lags, given.trials))
    # Forked processes share it.
    fitted(given.stand_in)
    with tempfile.TemporaryDirectory() as folder:
        path = given.save or Path(folder) / "lag.jsonl"
        found = finished(path)
        ahead = [
            (name, lag, seed, given.designs)
            for seed, name, lag in itertools.product(range(given.seeds), names, lags)
            if (name, lag, seed, given.designs) not in found
        ]
        todo = within(given.limit, ahead)
        with path.open("a", encoding="utf-8") as file, ProcessPoolExecutor(given.processes) as executor:
            under_way: dict[Future[list[float]], Search] = {}
            while True:
                for search in itertools.islice(todo, given.processes - len(under_way)):
                    under_way[executor.submit(leaders, search, checkpoints, given.budget, given.stand_in)] = search
                if not under_way:
                    break
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    search = under_way.pop(done)
                    found[search] = done.result()
                    name, lag, seed, designs = search
                    row = {"strategy": name, "lag": lag, "seed": seed, "designs": designs, "leaders": done.result()}
                    print(json.dumps(row), file=file, flush=True)
    for place, trials in enumerate(checkpoints):
        print(f"\nAccuracy in percent, without luck, of the leader after {trials} trials, by lag:\n")
        print(table(found, names, lags, given.designs, place))


if __name__ == "__main__":
    main()
