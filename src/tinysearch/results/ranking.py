"""The ranking of candidates, and their Pareto front.

Leaderboard, winner, ``watch``, report and ``Result`` lists all use this order:

1. Candidates that were trained for all epochs of their run come before those that were stopped early or are on a lower
   rung of a halving strategy, whatever their accuracy.
2. Then the mean value of the objective on the validation images decides, over all available folds or seeds.
3. Among equals, the candidate with fewer parameters comes first.

Folds differ in difficulty, and not all candidates are validated on all folds. Therefore a value on a fold counts
relative to the values of the other candidates on that fold, and runs that held out different images are compared at the
average difficulty of their folds. The objective is that of the runs; candidates of runs with different objectives are
ranked by accuracy, which all of them have.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence

from tinysearch.results.levels import level_folds, level_splits
from tinysearch.results.record import ACCURACY, Direction
from tinysearch.results.standing import Rankable, Standing, T

_OBJECTIVE = operator.attrgetter("objective", "direction")


def ranked(trainings: Iterable[T], splits: Mapping[str, str] | None = None) -> list[Standing[T]]:
    """Return the candidates in order, the best first. Candidates whose trainings all failed are left out.

    A training that was reused by another of the given runs counts once, for the run that trained it.

    Args:
        trainings: Trainings of any runs on one dataset.
        splits: By run, a description of the images held out for validation.
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
            # The training that other runs have reused comes first, whatever the order of the runs.
            group.sort(key=lambda one: one.run != run)
    standings = [Standing(group, longest.get(group[0].run, 0), metric, direction) for group in groups.values()]
    level_splits(standings, level_folds(standings), splits or {})
    standings.sort(key=lambda one: one.order)
    return standings


def metric_of(trainings: Iterable[Rankable]) -> tuple[str, Direction]:
    """Return the metric that ranks trainings, and its direction: their objective, or accuracy if objectives differ."""
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
    """Return the best candidate below each of several parameter budgets; budgets without a candidate are left out.

    A candidate that is the best for several budgets appears at each of them.
    """
    known = list(trainings)
    leaders = {budget: leader(one for one in known if one.params < budget) for budget in budgets}
    return {budget: one for budget, one in leaders.items() if one is not None}


def mark_front(standings: Sequence[Standing[T]]) -> None:
    """Mark the Pareto front: candidates that no other beats in parameters or the metric without losing in the other.

    Shortened trainings are not comparable and never on the front.

    Args:
        standings: Candidates in the order of ``ranked``.
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
    """Map run and key of each training that was reused to those of its source, if that is among the given trainings."""
    own = {(one.run, one.dataset, one.key) for one in trainings if one.reused_from is None}
    return {
        (one.run, one.key): (one.reused_from, one.key)
        for one in trainings
        if one.reused_from is not None and (one.reused_from, one.dataset, one.key) in own
    }
