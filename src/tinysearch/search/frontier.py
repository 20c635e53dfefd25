"""Sweeps of budgets: the best below each, with which the search below the next budget begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tinysearch.results.leaderboard import Row, rank
from tinysearch.results.ranking import metric_of, ranked
from tinysearch.results.record import Record
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

INITIAL_CANDIDATES = 3


def initial_candidates(
    records: Sequence[Record], space: SearchSpace, budget: int, count: int = INITIAL_CANDIDATES
) -> tuple[Candidate, ...]:
    """Return the best candidates of an earlier search, with widths scaled to stay just below a budget.

    Args:
        records: Records of that search, failures and hand-designed baselines included.
        space: Search space of the new search; candidates outside of it are skipped.
        budget: Bound on parameters of the new search.
        count: Maximum number of candidates to return; fewer are returned if fewer are distinct.
    """
    found: dict[str, Candidate] = {}
    for record in (standing.first for standing in ranked(one for one in records if one.purpose != "evaluation")):
        if len(found) == count:
            break
        if record.architecture not in space:
            continue
        scaled = space.scaled_below(record.architecture, budget)
        counted = space.cost(scaled)
        if counted is not None and counted.params < budget:
            candidate = Candidate(scaled, Recipe.from_dict(record.recipe))
            found.setdefault(candidate.key, candidate)
    return tuple(found.values())


def winners(records: Mapping[int, Sequence[Record]]) -> dict[int, Row | None]:
    """Return the best network below each budget; None where nothing was measured.

    A network that won below a smaller budget is below the larger ones too.

    Args:
        records: Records by budget: of networks below it, or of a search below it.
    """
    metric, direction = metric_of([record for found in records.values() for record in found])
    own = {bound: _winner([one.by(metric, direction) for one in found]) for bound, found in records.items()}
    sign = 1.0 if direction == "max" else -1.0
    best: dict[int, Row | None] = {}
    for bound, first in own.items():
        # Networks that were ranked with the winner of this budget are not compared again.
        compared = {(one.run, one.key) for one in records[bound]}
        others = (row for found in own.values() for row in found if (row.run, row.key) not in compared)
        able = [*first, *(row for row in others if row.params < bound)]
        best[bound] = max(able, key=lambda row: (sign * (row.val_metric or 0.0), -row.params), default=None)
    return best


def _winner(records: Sequence[Record]) -> list[Row]:
    """Return the row of the winner of a search; empty if nothing was measured."""
    return [row for row in rank(records, top=1).rows if row.rank == 1 and row.val_metric is not None]
