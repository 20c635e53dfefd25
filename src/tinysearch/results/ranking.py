"""The one order of candidates, and their Pareto front.

Leaderboard, winner, ``watch``, report and ``Result`` lists all rank by it. It compares like with like: candidates that
were trained for all epochs of their run come before those that were stopped early or stand on a lower rung of a halving
strategy, whatever their accuracy; then the mean validation accuracy decides, over as many folds or seeds as there are;
among equals the one with fewer parameters comes first.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from typing import Generic, Protocol, TypeVar


class Training(Protocol):
    """What is ranked: a ``Record`` or a ``Summary``."""

    @property
    def run(self) -> str: ...

    @property
    def key(self) -> str: ...

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
    def failure(self) -> str | None: ...


T = TypeVar("T", bound=Training)


class Standing(Generic[T]):
    """One candidate of one run and how it stands.

    Args:
        trainings: All its trainings that did not fail, at least one.
        longest: Epochs of the longest training of its run.

    Attributes:
        trainings: As given.
        validated: Those of them that the validation figures are means over: one for each fold or seed, evaluations left
            out unless there is nothing else.
        params: Total parameters.
        share: Fraction of the epochs of a full training of its run that it was trained for.
        val_accuracy: Mean validation accuracy over ``validated``, a fraction; None if there is none.
        val_seeds: Over how many trainings that is the mean, n.
        on_pareto_front: Set by ``mark_front``.
    """

    __slots__ = ("on_pareto_front", "params", "share", "trainings", "val_accuracy", "val_seeds", "validated")

    def __init__(self, trainings: Sequence[T], longest: int) -> None:
        first = trainings[0]
        self.trainings = trainings
        self.params = first.params
        self.share = first.epochs / longest if longest else 1.0
        self.on_pareto_front = False
        self.validated: Sequence[T] = trainings
        self.val_accuracy = first.val_accuracy
        self.val_seeds = int(first.val_accuracy is not None)
        if len(trainings) > 1:
            chosen = [one for one in trainings if one.purpose != "evaluation"] or trainings
            # Two runs may have trained the same candidate with the same seed.
            self.validated = list({(one.purpose, one.seed): one for one in chosen}.values())
            scores = [one.val_accuracy for one in self.validated if one.val_accuracy is not None]
            self.val_accuracy = statistics.fmean(scores) if scores else None
            self.val_seeds = len(scores)

    @property
    def first(self) -> T:
        """The first of its trainings."""
        return self.trainings[0]

    @property
    def is_shortened(self) -> bool:
        """Whether it was trained for fewer epochs than others of its run."""
        return self.share < 1

    @property
    def order(self) -> tuple[bool, float, float, int]:
        """What candidates are sorted by, the best first."""
        accuracy = self.val_accuracy
        return (accuracy is None, -self.share, -(accuracy or 0.0), self.params)


def ranked(trainings: Iterable[T]) -> list[Standing[T]]:
    """Return the candidates in order, the best first. Those whose trainings all failed are left out.

    What one run has reused from another that is here too stands there once, with the run that trained it.

    Args:
        trainings: Of any runs, on one dataset.
    """
    known = list(trainings)
    taken = homes(known)
    longest: dict[str, int] = {}
    groups: dict[tuple[str, str], list[T]] = {}
    for one in known:
        own = (one.run, one.key)
        if one.failure is not None or (one.reused_from is not None and own in taken):
            continue
        if one.epochs > longest.get(one.run, 0):
            longest[one.run] = one.epochs
        groups.setdefault(taken.get(own, own), []).append(one)
    standings = [Standing(group, longest[group[0].run]) for group in groups.values()]
    standings.sort(key=lambda one: one.order)
    return standings


def leader(trainings: Iterable[T]) -> Standing[T] | None:
    """Return the best candidate; None if none was validated."""
    found = next(iter(ranked(trainings)), None)
    return None if found is None or found.val_accuracy is None else found


def best(trainings: Iterable[T]) -> T | None:
    """Return the first training of the best candidate; None if none was validated."""
    found = leader(trainings)
    return None if found is None else found.first


def mark_front(standings: Sequence[Standing[T]]) -> None:
    """Mark those that no other beats in parameters or accuracy without losing in the other.

    Shortened trainings cannot be compared and are never on the front.

    Args:
        standings: As ``ranked`` returns them.
    """
    smallest = float("inf")
    last: Standing[T] | None = None
    for one in standings:
        if one.val_accuracy is None or one.is_shortened:
            continue
        ties = last is not None and (one.params, one.val_accuracy) == (last.params, last.val_accuracy)
        if one.params < smallest or ties:
            one.on_pareto_front = True
            smallest, last = one.params, one


def homes(trainings: Iterable[T]) -> dict[tuple[str, str], tuple[str, str]]:
    """Return, for run and key of what was reused from a run that is here too, run and key of where it is from."""
    known = list(trainings)
    runs = {one.run for one in known}
    return {
        (one.run, one.key): (one.reused_from, one.key)
        for one in known
        if one.reused_from is not None and one.reused_from in runs
    }
