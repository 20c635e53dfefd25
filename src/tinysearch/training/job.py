"""A training to do, as a plain value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinysearch.results.record import ACCURACY, Epoch
from tinysearch.space.architecture import Architecture
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

EpochWatcher = Callable[[int, Epoch], None]


@dataclass(frozen=True, slots=True)
class Job:
    """One training to do: plain values only, so that it can be sent anywhere.

    Args:
        candidate: What to train, and how.
        seed: Seed of the training.
        fingerprint: Of the data, which the worker has.
        model_path: Where to save the trained model, or None.
        checkpoint_path: Where to keep what is needed to go on after an interruption, or None.
        floor: Number of an epoch, and the value of the objective on the validation images that is to be reached by it:
            training ends there if the value is worse; None for no such end.
        fold: Which fold of the training images is held out, if any is; see ``TrainingData.holding_out``.
        objective: Name of the run's objective. If it is not accuracy, it is measured after every epoch.
    """

    candidate: Candidate
    seed: int
    fingerprint: str = ""
    model_path: Path | None = None
    checkpoint_path: Path | None = None
    floor: tuple[int, float] | None = None
    fold: int = 0
    objective: str = ACCURACY

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "architecture": self.candidate.architecture.to_dict(),
            "recipe": self.candidate.recipe.to_dict(),
            "seed": self.seed,
            "fingerprint": self.fingerprint,
            "model_path": None if self.model_path is None else str(self.model_path),
            "checkpoint_path": None if self.checkpoint_path is None else str(self.checkpoint_path),
            "floor": None if self.floor is None else list(self.floor),
            "fold": self.fold,
            "objective": self.objective,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Job:
        """Make a job of plain JSON values."""
        paths = {name: None if data[name] is None else Path(data[name]) for name in ("model_path", "checkpoint_path")}
        candidate = Candidate(Architecture.from_dict(data["architecture"]), Recipe.from_dict(data["recipe"]))
        floor = None if data["floor"] is None else (int(data["floor"][0]), float(data["floor"][1]))
        return cls(
            candidate,
            data["seed"],
            data["fingerprint"],
            **paths,
            floor=floor,
            fold=data["fold"],
            objective=data["objective"],
        )
