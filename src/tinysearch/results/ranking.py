"""The one order of candidates, and their Pareto front.

Leaderboard, winner, ``watch``, report and ``Result`` lists all rank by it. It compares like with like: candidates that
were trained for all epochs of their run come before those that were stopped early or stand on a lower rung of a halving
strategy, whatever their accuracy; then the mean value of the objective on the validation images decides, over as many
folds or seeds as there are; among equals the one with fewer parameters comes first. A fold may be harder than another,
and not all candidates are validated on all: what is reached on a fold counts by how far it is from what the others that
were validated on it reach. The objective is that of the runs; candidates of runs with different objectives are ranked
by accuracy, which all of them have.
"""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar

from tinysearch.results.record import ACCURACY, Direction


class Training(Protocol):
    """What is ranked: a ``Record`` or a ``Summary``."""

    @property
    def run(self) -> str: ...

    @property
    def key(self) -> str: ...

    @property
    def dataset(self) -> str: ...

    @property
    def purpose(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def reused_from(self) -> str | None: ...

    @property
    def params(self) -> int: ...

    @property
    def epochs(self) -> int: ...

    @property
    def val_accuracy(self) -> float | None: ...

    @property
    def objective(self) -> str: ...

    @property
    def direction(self) -> Direction: ...

    @property
    def value(self) -> float | None: ...

    @property
    def failure(self) -> str | None: ...


T = TypeVar("T", bound=Training)

_OBJECTIVE = operator.attrgetter("objective", "direction")


class Standing(Generic[T]):
    """One candidate of one run and how it stands.

    Args:
        trainings: All its trainings that did not fail, at least one.
        longest: Epochs of the longest training in the search of its run.
        metric, direction: What it is ranked by.

    Attributes:
        trainings: As given.
        validated: Those of them that the validation figures are means over: one for each fold or seed, evaluations left
            out unless there is nothing else.
        params: Total parameters.
        epoch_fraction: Epochs that it was trained for, as a fraction of a full training of its run; 1 for evaluations.
        metric, direction: As given.
        value: Mean value of the metric on the validation images over ``validated``; None if there is none.
        val_seeds: Over how many trainings that is the mean, n.
        level: The mean if all folds were as hard as that of the search, which is what candidates are ordered by: set by
            ``ranked``.
        on_pareto_front: Set by ``mark_front``.
    """

    __slots__ = (
        "direction",
        "epoch_fraction",
        "level",
        "metric",
        "on_pareto_front",
        "params",
        "trainings",
        "val_seeds",
        "validated",
        "value",
    )

    def __init__(
        self, trainings: Sequence[T], longest: int, metric: str = ACCURACY, direction: Direction = "max"
    ) -> None:
        first = trainings[0]
        self.trainings = trainings
        self.metric = metric
        self.direction = direction
        self.params = first.params
        self.epoch_fraction = first.epochs / longest if longest and first.purpose != "evaluation" else 1.0
        self.on_pareto_front = False
        self.validated: Sequence[T] = trainings
        self.value = first.val_accuracy if metric == ACCURACY else first.value
        self.val_seeds = int(self.value is not None)
        if len(trainings) > 1:
            chosen = [one for one in trainings if one.purpose != "evaluation"] or trainings
            # Two runs may have trained the same candidate with the same seed.
            self.validated = list({(one.purpose, one.seed): one for one in chosen}.values())
            values = [value for one in self.validated if (value := _value(one, metric)) is not None]
            self.value = statistics.fmean(values) if values else None
            self.val_seeds = len(values)
        self.level = self.value

    @property
    def first(self) -> T:
        """The first of its trainings."""
        return self.trainings[0]

    @property
    def val_accuracy(self) -> float | None:
        """Mean validation accuracy over ``validated``, a fraction; None if there is none."""
        known = [one.val_accuracy for one in self.validated if one.val_accuracy is not None]
        return statistics.fmean(known) if known else None

    @property
    def score(self) -> float:
        """The value, the larger the better; minus infinity where there is none."""
        if self.value is None:
            return -math.inf
        return self.value if self.direction == "max" else -self.value

    @property
    def is_shortened(self) -> bool:
        """Whether it was trained for fewer epochs than others of its run."""
        return self.epoch_fraction < 1

    @property
    def order(self) -> tuple[bool, float, float, int]:
        """What candidates are sorted by, the best first."""
        value = self.level
        if value is None:
            return (True, -self.epoch_fraction, 0.0, self.params)
        return (False, -self.epoch_fraction, -value if self.direction == "max" else value, self.params)


def ranked(trainings: Iterable[T]) -> list[Standing[T]]:
    """Return the candidates in order, the best first. Those whose trainings all failed are left out.

    What one run has reused from another that is here too stands there once, with the run that trained it.

    Args:
        trainings: Of any runs, on one dataset.
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
    _level(standings)
    standings.sort(key=lambda one: one.order)
    return standings


def metric_of(trainings: Iterable[Training]) -> tuple[str, Direction]:
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


def _level(standings: Iterable[Standing[T]]) -> None:
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
                if (value := _value(training, one.metric)) is not None
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


def _value(one: Training, metric: str) -> float | None:
    """Return the value of the metric that trainings are ranked by: it is their objective, or accuracy."""
    return one.val_accuracy if metric == ACCURACY else one.value


def _reuse_sources(trainings: Sequence[T]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, for run and key of what was reused from a run that is here too, run and key of its source."""
    runs = {(one.run, one.dataset) for one in trainings}
    return {
        (one.run, one.key): (one.reused_from, one.key)
        for one in trainings
        if one.reused_from is not None and (one.reused_from, one.dataset) in runs
    }
