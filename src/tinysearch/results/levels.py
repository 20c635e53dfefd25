"""Correction for the difficulty of folds, so that candidates validated on different folds can be ranked together."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence

from tinysearch.results.standing import Standing, T, value_of


def level_folds(standings: Iterable[Standing[T]]) -> dict[str, list[float]]:
    """Set ``level``, which candidates are ordered by, if revalidations of their run held out other folds.

    For each fold, in the order of the seeds, all values on it are shifted by the same amount, so that the mean of the
    candidates validated on it stays what it was without this fold. Only the best candidates are revalidated. The shift
    keeps one of them in first place; without it, a harder fold would put all of them behind the others.

    Returns:
        By run, the shift of each of its folds, in units of the metric. The fold of the search comes first, with a shift
        of 0.
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
    """Make runs that held out different images comparable: convert levels to the average difficulty of a run's folds.

    The fold of the search is only one of the folds and may be the easiest. A run without revalidations gets the mean
    shift of the runs with the same split that have some. If no run with a split has revalidations, the difficulty of
    that split is unknown, and nothing is changed.

    Args:
        standings: Candidates whose levels are comparable within each run.
        raised: The return value of ``level_folds``.
        splits: By run, a description of the images held out for validation.
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
