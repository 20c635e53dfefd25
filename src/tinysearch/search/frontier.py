"""Initial candidates for a sweep of budgets: the search under each budget begins with the best of the one before."""

from __future__ import annotations

from collections.abc import Sequence

from tinysearch.results.ranking import ranked
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
