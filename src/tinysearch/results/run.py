"""Runs: searches or reproductions that records belong to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.errors import BudgetError, RunError
from tinysearch.results.record import ACCURACY, Direction
from tinysearch.space.budget import Budget


@dataclass(frozen=True, slots=True)
class Run:
    """One search or reproduction in a store; ``settings`` are plain JSON values.

    ``finished_at`` is the time when all stages requested by the settings had ended; early versions stored the end of
    the search. ``rejections`` is the number of candidates by reason that were rejected after the last record, when the
    search found nothing new; each record has the number of those rejected before it. ``source`` holds the plain values
    of the ``Source`` of its data; None if not known, as for runs of early versions.
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
        """Whether the run is a search; a reproduction has no trials."""
        return "trials" in self.settings

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers; empty if classes have no names."""
        return tuple(map(str, self.settings.get("data", {}).get("class_names", ())))

    @property
    def budget(self) -> Budget | None:
        """The budget of its candidates; None if it has none, as a reproduction, or if it cannot be read."""
        try:
            return Budget.from_dict(self.settings["budget"])
        except (KeyError, TypeError, BudgetError):
            return None

    @property
    def split(self) -> str:
        """A description of the images held out for validation."""
        from tinysearch.data.splits import Split
        from tinysearch.errors import DatasetError

        try:
            return Split.from_dict(self.settings.get("data", {}).get("split", {})).words
        except (DatasetError, TypeError, AttributeError):
            return "unknown images"

    @property
    def objective(self) -> str:
        """Name of the objective of the run, see ``objective``."""
        return objective_of(self.settings)[0]

    @property
    def direction(self) -> Direction:
        """Whether a larger or a smaller value of the objective is better."""
        return objective_of(self.settings)[1]

    def check_data(self, dataset: str, fingerprint: str) -> None:
        """Raise an error if a dataset is not the one that the run was made on.

        Raises:
            RunError: if the fingerprints differ.
        """
        if fingerprint != self.fingerprint:
            raise RunError(
                f"run {self.name!r} was made on {self.dataset} with fingerprint {self.fingerprint}, the dataset given "
                f"is {dataset} with {fingerprint}; give the data it was made on with `data=`, or another run"
            )


def objective_of(settings: Mapping[str, Any]) -> tuple[str, Direction]:
    """Return name and direction of the objective in the settings of a run; early versions have none: accuracy."""
    return settings.get("objective", ACCURACY), settings.get("direction", "max")
