"""Check many proposals of each strategy one by one, and measure the time of a proposal.

    python benchmarks/proposals.py --proposals 5000 --budgets 600,1000,3000,10000 --strategies random,evolution
    python benchmarks/proposals.py --histories 1000,100000 --proposals 60

Every proposal passes through the constraint filter, as in a run. Candidates get made-up scores instead of being
trained. With ``--histories`` the time of a proposal after histories of made-up records is measured instead, in five
rounds.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np

from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.history import TrialHistory
from tinysearch.search.proposer import Proposal, Proposer
from tinysearch.search.strategies.registry import strategy
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

AROUND = 1_000
ROUNDS = 5


def record_of(proposal: Proposal) -> Record:
    """Return a record with a score derived from the candidate's key."""
    score = int(hashlib.sha256(proposal.candidate.key.encode()).hexdigest()[:8], 16) / 2**32
    return Record(
        run="made up",
        key=proposal.candidate.key,
        name=proposal.name,
        origin="search",
        purpose="search",
        trial=proposal.trial,
        seed=0,
        dataset="none",
        fingerprint="none",
        architecture=proposal.candidate.architecture,
        cost=proposal.cost,
        recipe=proposal.candidate.recipe.to_dict(),
        measurement=scored(score),
    )


def propose(name: str, budget: int, proposals: int) -> dict[str, Any]:
    """Let a strategy propose; return counts of its proposals, and the CPU seconds of one in this process."""
    proposer = Proposer(strategy(name, Problem(SearchSpace(), Budget(budget), Recipe())), 0, proposals, {})
    history = TrialHistory(lag=1)
    keys: Counter[str] = Counter()
    largest, seconds = 0, []
    for _ in range(proposals):
        began = time.process_time()
        proposal = proposer.next(history)
        seconds.append(time.process_time() - began)
        if not isinstance(proposal, Proposal):
            break
        keys[proposal.candidate.key] += 1
        largest = max(largest, proposal.cost.params)
        history.propose(proposal.candidate, proposal.rejections)
        history.record(proposal.position, record_of(proposal))
    around = seconds[AROUND - 50 : AROUND + 50] or seconds
    return {
        "strategy": name,
        "budget": budget,
        "proposals": sum(keys.values()),
        "duplicates": sum(keys.values()) - len(keys),
        "largest": largest,
        "rejected": dict(history.rejections),
        "cpu_seconds_at_1000": statistics.median(around),
    }


def after(name: str, budget: int, lengths: list[int], proposals: int) -> dict[str, Any]:
    """Measure the time of a proposal after histories of several lengths, in turn.

    Returns CPU seconds of this process, the median for each length, and the ratios of the last to the first length:
    five, each of the medians of a fifth of the proposals.
    """
    space = SearchSpace()
    rng = np.random.default_rng(0)
    found = (space.sample_between(budget // 2, budget, rng) for _ in range(400))
    some = [Candidate(one, Recipe()) for one in found if one is not None]
    costs = [cost(one.architecture, space.task) for one in some]
    proposer = Proposer(strategy(name, Problem(space, Budget(budget), Recipe())), 0, max(lengths) + proposals, {})
    ledgers = []
    for length in lengths:
        made = (
            record_of(Proposal(trial, some[trial % len(some)], costs[trial % len(some)], "made up", "search", trial))
            for trial in range(length)
        )
        records = {
            trial: replace(record, key=f"{trial:012x}", measurement=scored(float(rng.random())))
            for trial, record in enumerate(made)
        }
        ledgers.append(TrialHistory(1, records))
    seconds: list[list[float]] = [[] for _ in lengths]
    for _ in range(proposals):
        for times, history in zip(seconds, ledgers, strict=True):
            began = time.process_time()
            proposal = proposer.next(history)
            times.append(time.process_time() - began)
            if isinstance(proposal, Proposal):
                history.propose(proposal.candidate, proposal.rejections)
                history.record(proposal.position, record_of(proposal))
    medians = [statistics.median(times) for times in seconds]
    ratios = [
        statistics.median(seconds[-1][part::ROUNDS]) / statistics.median(seconds[0][part::ROUNDS])
        for part in range(ROUNDS)
    ]
    return {"strategy": name, "histories": lengths, "cpu_seconds": medians, "ratios": ratios}


def scored(score: float) -> Measurement:
    """Return a measurement of one epoch with a score."""
    return Measurement((Epoch(1.0, score, 1.0, score, 0.1, 1.0),), 1.0)


def main() -> None:
    """Print a line for each strategy and budget.

    The exit code is 1 if proposals are duplicates, are not below the budget, or are fewer than requested.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=5_000)
    parser.add_argument("--budgets", default="600,1000,3000,10000")
    parser.add_argument("--strategies", default="random,evolution,halving,bayesian")
    parser.add_argument("--histories", help="lengths of histories, separated by commas")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if given.histories:
        for name in given.strategies.split(","):
            seen = after(name, 10_000, [int(length) for length in given.histories.split(",")], given.proposals)
            if given.json:
                print(json.dumps(seen), flush=True)
            else:
                times = ", ".join(
                    f"{1000 * one:.1f} ms after {length:,}"
                    for one, length in zip(seen["cpu_seconds"], seen["histories"], strict=True)
                )
                ratios = sorted(seen["ratios"])
                ratio = f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"
                print(f"{name:<12} {times}; the last over the first: {ratio}", flush=True)
        return
    bad = False
    for name in given.strategies.split(","):
        for budget in map(int, given.budgets.split(",")):
            seen = propose(name, budget, given.proposals)
            bad |= seen["duplicates"] > 0 or seen["largest"] >= budget or seen["proposals"] < given.proposals
            if given.json:
                print(json.dumps(seen), flush=True)
            else:
                time_of_one = f"{1000 * seen['cpu_seconds_at_1000']:.1f} ms at a history of {AROUND:,}"
                print(
                    f"{name:<26} budget {budget:>6,}  {seen['proposals']:,} proposals, largest {seen['largest']:,}, "
                    f"{seen['duplicates']} twice, {time_of_one}, rejected {seen['rejected']}",
                    flush=True,
                )
    sys.exit(bad)


if __name__ == "__main__":
    main()
