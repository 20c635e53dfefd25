"""Folds differ in difficulty: what was reached on each is brought to one level, so that candidates can be ordered."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from tinysearch.results.standing import Standing, T, value_of


def level_folds(standings: Iterable[Standing[T]]) -> dict[str, list[float]]:
    """Set what candidates are ordered by where revalidations of their run have held out other folds.

    Fold by fold, in the order of the seeds, all that were validated on it are raised or lowered by the same amount, so
    that their mean stays what it was without this fold. Those that are trained again are the best ones; so one of them
    stays in front, as it would not if a harder fold put all of them behind the others.

    Returns:
        By how much each fold of a run was raised, that of the search first, by nothing.
    """
    raised: dict[str, list[float]] = {}
    runs: dict[str, list[dict[int, float]]] = {}
    owners: dict[str, list[Standing[T]]] = {}
    for one in standings:
        if len(one.validated) > 1 and any(training.purpose == "revalidation" for training in one.validated):
            values = {
                -1 if training.purpose == "search" else training.seed: value
                for training in one.validated
                if (value := value_of(training, one.metric)) is not None
            }
            runs.setdefault(one.first.run, []).append(values)
            owners.setdefault(one.first.run, []).append(one)
    for run, candidates in runs.items():
        levels: list[list[float]] = [[] for _ in candidates]
        for seed in sorted({seed for values in candidates for seed in values}):
            here = [place for place, values in enumerate(candidates) if seed in values]
            before = [place for place in here if levels[place]]
            harder = [statistics.fmean(levels[place]) - candidates[place][seed] for place in before]
            shift = statistics.fmean(harder) if harder else 0.0
            raised.setdefault(run, []).append(shift)
            for place in here:
                levels[place].append(candidates[place][seed] + shift)
        for one, known in zip(owners[run], levels, strict=True):
            if known:
                one.level = statistics.fmean(known)
    return raised


def level_splits(
    standings: Iterable[Standing[T]], raised: Mapping[str, Sequence[float]], splits: Mapping[str, str]
) -> None:
    """Bring runs that held out different images together: all to folds as hard as those of their split on average.

    The fold of the search is one of them only, and may be the easiest.

    Args:
        standings: Of which runs of one split have a common level.
        raised: What ``level_folds`` returned.
        splits: By run, what it held out.
    """
    known = [one for one in standings if one.level is not None]
    if len({splits.get(one.first.run) for one in known}) < 2:
        return
    easier: dict[str | None, list[float]] = {}
    for run, shifts in raised.items():
        easier.setdefault(splits.get(run), []).append(statistics.fmean(shifts))
    for one in known:
        own = easier.get(splits.get(one.first.run))
        if own and one.level is not None:
            one.level -= statistics.fmean(own)
