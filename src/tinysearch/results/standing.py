"""Standings: candidates of a run with the values that they are ranked by."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Generic, Protocol, TypeVar

from tinysearch.results.record import ACCURACY, Direction


class Rankable(Protocol):
    """Protocol of trainings that can be ranked: ``Record`` and ``Summary``."""

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


T = TypeVar("T", bound=Rankable)


class Standing(Generic[T]):
    """One candidate of one run, with the values that it is ranked by.

    Args:
        trainings: All its trainings that did not fail, at least one.
        longest: Number of epochs of the longest training of its run, evaluations not counted.
        metric, direction: The metric that it is ranked by.

    Attributes:
        trainings: As given.
        validated: The trainings that validation figures are means over: one for each fold or seed, without evaluations
            unless there is nothing else.
        params: Total parameters.
        epoch_fraction: Epochs of its first training as a fraction of ``longest``; 1 for evaluations.
        metric, direction: As given.
        value: Mean value of the metric on the validation images over ``validated``; None if there is none.
        val_seeds: Number of trainings in that mean.
        level: The mean corrected for the difficulty of folds, which candidates are ordered by. It corresponds to the
            fold of the search, or to folds of average difficulty if runs held out different images. Set by ``ranked``.
        on_pareto_front: Whether it is on the Pareto front. Set by ``mark_front``.
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
            values = [value for one in self.validated if (value := value_of(one, metric)) is not None]
            self.value = statistics.fmean(values) if values else None
            self.val_seeds = len(values)
        self.level = self.value

    @property
    def first(self) -> T:
        """Its first training."""
        return self.trainings[0]

    @property
    def val_accuracy(self) -> float | None:
        """Mean validation accuracy over ``validated``, a fraction; None if there is none."""
        known = [one.val_accuracy for one in self.validated if one.val_accuracy is not None]
        return statistics.fmean(known) if known else None

    @property
    def score(self) -> float:
        """The value with a sign such that larger is better; minus infinity if there is none."""
        if self.value is None:
            return -math.inf
        return self.value if self.direction == "max" else -self.value

    @property
    def is_shortened(self) -> bool:
        """Whether it was trained for fewer epochs than the longest training of its run."""
        return self.epoch_fraction < 1

    @property
    def order(self) -> tuple[bool, float, float, int]:
        """The key to sort candidates by, the best first."""
        value = self.level
        if value is None:
            return (True, -self.epoch_fraction, 0.0, self.params)
        return (False, -self.epoch_fraction, -value if self.direction == "max" else value, self.params)


def value_of(one: Rankable, metric: str) -> float | None:
    """Return a training's value of the metric that it is ranked by: its objective or accuracy."""
    return one.val_accuracy if metric == ACCURACY else one.value
