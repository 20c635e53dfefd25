"""Folds differ in difficulty: what was reached on each is brought to one level, so that candidates can be ordered."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from tinysearch.results.standing import Standing, T, value_of


def level_folds(standings: Iterable[Standing[T]]) -> None:
    """Set what candidates are ordered by where revalidations of their run have held out other folds.

    Fold by fold, in the order of the seeds, all that were validated on it are raised or lowered by the same amount, so
    that their mean stays what it was without this fold. Those that are trained again are the best ones; so one of them
    stays in front, as it would not if a harder fold put all of them behind the others.
    """
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
            for place in here:
                levels[place].append(candidates[place][seed] + shift)
        for one, known in zip(owners[run], levels, strict=True):
            if known:
                one.level = statistics.fmean(known)
