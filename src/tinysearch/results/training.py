"""Trainings that are planned or running; each of them becomes a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tinysearch.results.record import Origin, Purpose, Record
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost


@dataclass(frozen=True, slots=True)
class Training:
    """One planned or running training of one candidate.

    Args:
        run, key, name, origin, purpose, seed, architecture, cost, recipe, trial, position, rejections: See ``Record``.
        fold: Number of the fold of the training images that is held out for validation; None to train on all images.
        floor: Number of an epoch, and the minimum quality on the validation images after it: training stops there if
            the value of the objective is worse. None to never stop early.
    """

    run: str
    key: str
    name: str
    origin: Origin
    purpose: Purpose
    seed: int
    architecture: Architecture
    cost: Cost
    recipe: Mapping[str, Any]
    fold: int | None = 0
    trial: int | None = None
    position: int | None = None
    rejections: Mapping[str, int] = field(default_factory=dict)
    floor: tuple[int, float] | None = None

    @classmethod
    def again(cls, record: Record, purpose: Purpose, seed: int, fold: int | None) -> Training:
        """Return another training of a record's candidate in the same run."""
        return cls(
            run=record.run,
            key=record.key,
            name=record.name,
            origin=record.origin,
            purpose=purpose,
            seed=seed,
            architecture=record.architecture,
            cost=record.cost,
            recipe=record.recipe,
            fold=fold,
        )

    @property
    def identity(self) -> tuple[str, int, str]:
        """Key, seed and purpose, which no other training of its run shares."""
        return self.key, self.seed, self.purpose

    @property
    def epochs(self) -> int:
        """Number of epochs to train for."""
        return int(self.recipe["epochs"])
