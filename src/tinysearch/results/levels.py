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
        By run, by how much what was reached on each of its folds was raised, in units of the metric; the fold of the
        search comes first, and is raised by 0.
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
    """Bring runs that held out different images together: each to folds as hard as those that it used on average.

    The fold of the search is one of them only, and may be the easiest. A run without revalidations is taken to be as
    those of its split that have some; where a split has none, nothing is known of it, and nothing is changed.

    Args:
        standings: Of which each run has a common level.
        raised: What ``level_folds`` returned.
        splits: By run, what it held out for validation, in words.
    """
    known = [one for one in standings if one.level is not None]
    by_run = {run: statistics.fmean(shifts) for run, shifts in raised.items()}
    by_split: dict[str | None, list[float]] = {}
    for run, shift in by_run.items():
        by_split.setdefault(splits.get(run), []).append(shift)
    present = {splits.get(one.first.run) for one in known}
    if len(present) < 2 or not present <= by_split.keys():
        return
    for one in known:
        run = one.first.run
        shift = by_run[run] if run in by_run else statistics.fmean(by_split[splits.get(run)])
        assert one.level is not None  # noqa: S101
        one.level -= shift
