"""Many proposals of each strategy, checked one by one, and the time of one.

    python benchmarks/proposals.py --proposals 5000 --budgets 600,1000,3000,10000 --strategies random,evolution

Every proposal goes through the constraint filter, as in a run. A made-up score of each candidate takes the place of
training.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import sys
import time
from collections import Counter
from typing import Any

from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.ledger import Ledger
from tinysearch.search.proposer import Proposal, Proposer
from tinysearch.search.recipe import Recipe
from tinysearch.search.strategies import Problem, strategy
from tinysearch.space.budget import Budget
from tinysearch.space.search_space import SearchSpace

AROUND = 1_000


def record_of(proposal: Proposal) -> Record:
    """Return a record with a score made of the candidate's key."""
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
        measurement=Measurement((Epoch(1.0, score, 1.0, score, 0.1, 1.0),), 1.0),
    )


def propose(name: str, budget: int, proposals: int) -> dict[str, Any]:
    """Let a strategy propose, and say what came of it; CPU seconds are of this process."""
    proposer = Proposer(strategy(name, Problem(SearchSpace(), Budget(budget), Recipe())), 0, proposals, {})
    ledger = Ledger(workers=1)
    keys: Counter[str] = Counter()
    largest, seconds = 0, []
    for _ in range(proposals):
        began = time.process_time()
        proposal = proposer.next(ledger)
        seconds.append(time.process_time() - began)
        if not isinstance(proposal, Proposal):
            break
        keys[proposal.candidate.key] += 1
        largest = max(largest, proposal.cost.params)
        ledger.propose(proposal.candidate, proposal.rejections)
        ledger.record(proposal.position, record_of(proposal))
    around = seconds[AROUND - 50 : AROUND + 50] or seconds
    return {
        "strategy": name,
        "budget": budget,
        "proposals": sum(keys.values()),
        "duplicates": sum(keys.values()) - len(keys),
        "largest": largest,
        "rejected": dict(ledger.rejections),
        "cpu_seconds_at_1000": statistics.median(around),
    }


def main() -> None:
    """Print a line for each strategy and budget; fail if one is not as it should be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--proposals", type=int, default=5_000)
    parser.add_argument("--budgets", default="600,1000,3000,10000")
    parser.add_argument("--strategies", default="random,evolution,halving,bayesian")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
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
