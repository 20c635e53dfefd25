"""Runs: one search or reproduction, to which records belong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.errors import BudgetError, RunError
from tinysearch.results.record import ACCURACY, Direction
from tinysearch.space.budget import Budget


@dataclass(frozen=True, slots=True)
class Run:
    """One search or reproduction as the store knows it; ``settings`` are plain JSON values.

    ``finished_at`` is when all stages that its settings ask for had ended; early versions wrote when its search had.
    ``rejections`` counts, by reason, what was rejected after the last record, when nothing new turned up any more; a
    record has the count of what was rejected before it. ``source`` is where its data was read from, the plain values of
    a ``Source``; None if that is not known, as of runs of early versions.
    """

    name: str
    dataset: str
    fingerprint: str
    settings: Mapping[str, Any]
    rejections: Mapping[str, int]
    created_at: str
    finished_at: str | None
    source: Mapping[str, Any] | None = None

    @property
    def is_search(self) -> bool:
        """Whether it searches; a reproduction has no trials."""
        return "trials" in self.settings

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers; nothing where they are called by these."""
        return tuple(map(str, self.settings.get("data", {}).get("class_names", ())))

    @property
    def budget(self) -> Budget | None:
        """The limits on its candidates; None if it has none, as a reproduction, or they cannot be read."""
        try:
            return Budget.from_dict(self.settings["budget"])
        except (KeyError, TypeError, BudgetError):
            return None

    @property
    def split(self) -> str:
        """How images are held out for validation, in words."""
        from tinysearch.data.splits import Split
        from tinysearch.errors import DatasetError

        try:
            return Split.from_dict(self.settings.get("data", {}).get("split", {})).words
        except (DatasetError, TypeError, AttributeError):
            return "unknown images"

    @property
    def objective(self) -> str:
        """Name of what it makes as large or as small as possible, see ``objective``."""
        return objective_of(self.settings)[0]

    @property
    def direction(self) -> Direction:
        """Whether a larger or a smaller value of the objective is better."""
        return objective_of(self.settings)[1]

    def check_data(self, dataset: str, fingerprint: str) -> None:
        """Refuse to go on with other data than the run was made on.

        Raises:
            RunError: if the fingerprint is another.
        """
        if fingerprint != self.fingerprint:
            raise RunError(
                f"run {self.name!r} was made on {self.dataset} with fingerprint {self.fingerprint}, the dataset given "
                f"is {dataset} with {fingerprint}; give the data it was made on with `data=`, or another run"
            )


def objective_of(settings: Mapping[str, Any]) -> tuple[str, Direction]:
    """Return name and direction of the objective of a run with some settings; those of early versions have none."""
    return settings.get("objective", ACCURACY), settings.get("direction", "max")
