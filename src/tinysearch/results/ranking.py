"""The one order of candidates, and their Pareto front.

Leaderboard, winner, ``watch``, report and ``Result`` lists all rank by it. It compares like with like: candidates that
were trained for all epochs of their run come before those that were stopped early or stand on a lower rung of a halving
strategy, whatever their accuracy; then the mean value of the objective on the validation images decides, over as many
folds or seeds as there are; among equals the one with fewer parameters comes first. A fold may be harder than another,
and not all candidates are validated on all: what is reached on a fold counts by how far it is from what the others that
were validated on it reach, and runs that held out different images are compared by folds of average difficulty. The
objective is that of the runs; candidates of runs with different objectives are ranked by accuracy, which all of them
have.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence

from tinysearch.results.levels import level_folds, level_splits
from tinysearch.results.record import ACCURACY, Direction
from tinysearch.results.standing import Rankable, Standing, T

_OBJECTIVE = operator.attrgetter("objective", "direction")


def ranked(trainings: Iterable[T], splits: Mapping[str, str] | None = None) -> list[Standing[T]]:
    """Return the candidates in order, the best first. Those whose trainings all failed are left out.

    What one run has reused from another that is here too stands there once, with the run that trained it.

    Args:
        trainings: Of any runs, on one dataset.
        splits: By run, what it held out for validation, in words.
    """
    known = list(trainings)
    metric, direction = metric_of(known)
    sources = _reuse_sources(known)
    longest: dict[str, int] = {}
    groups: dict[tuple[str, str], list[T]] = {}
    for one in known:
        if one.failure is not None:
            continue
        if one.epochs > longest.get(one.run, 0) and one.purpose != "evaluation":
            longest[one.run] = one.epochs
        own = (one.run, one.key)
        if one.reused_from is None or own not in sources:
            groups.setdefault(sources.get(own, own), []).append(one)
    if sources:
        for (run, _), group in groups.items():
            # The training that others have reused comes first, wherever its run stands.
            group.sort(key=lambda one: one.run != run)
    standings = [Standing(group, longest.get(group[0].run, 0), metric, direction) for group in groups.values()]
    level_splits(standings, level_folds(standings), splits or {})
    standings.sort(key=lambda one: one.order)
    return standings


def metric_of(trainings: Iterable[Rankable]) -> tuple[str, Direction]:
    """Return by what trainings are ranked together, and its direction: their objective, or accuracy if they differ."""
    objectives: set[tuple[str, Direction]] = set(map(_OBJECTIVE, trainings))
    return objectives.pop() if len(objectives) == 1 else (ACCURACY, "max")


def leader(trainings: Iterable[T]) -> Standing[T] | None:
    """Return the best candidate; None if none was validated."""
    found = next(iter(ranked(trainings)), None)
    return None if found is None or found.value is None else found


def best(trainings: Iterable[T]) -> T | None:
    """Return the first training of the best candidate; None if none was validated."""
    found = leader(trainings)
    return None if found is None else found.first


def best_below(trainings: Iterable[T], budgets: Iterable[int]) -> dict[int, Standing[T]]:
    """Return the best candidate below each of several budgets of parameters; those that have none are left out.

    A candidate that is the best of many budgets stands at each of them.
    """
    known = list(trainings)
    leaders = {budget: leader(one for one in known if one.params < budget) for budget in budgets}
    return {budget: one for budget, one in leaders.items() if one is not None}


def mark_front(standings: Sequence[Standing[T]]) -> None:
    """Mark those that no other beats in parameters or the metric without losing in the other.

    Shortened trainings cannot be compared and are never on the front.

    Args:
        standings: As ``ranked`` returns them.
    """
    smallest = float("inf")
    last: Standing[T] | None = None
    for one in standings:
        if one.value is None or one.is_shortened:
            continue
        ties = last is not None and (one.params, one.value) == (last.params, last.value)
        if one.params < smallest or ties:
            one.on_pareto_front = True
            smallest, last = one.params, one


def _reuse_sources(trainings: Sequence[T]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, for run and key of what was reused from a run that is here too, run and key of its source."""
    runs = {(one.run, one.dataset) for one in trainings}
    return {
        (one.run, one.key): (one.reused_from, one.key)
        for one in trainings
        if one.reused_from is not None and (one.reused_from, one.dataset) in runs
    }
