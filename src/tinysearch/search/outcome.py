"""What came of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinysearch.errors import TinySearchError, TrainingError
from tinysearch.results.callback import Ending
from tinysearch.results.ranking import best
from tinysearch.results.record import Record


@dataclass(frozen=True, slots=True, repr=False)
class RunOutcome:
    """What came of a run: its records in order, why it ended, and what the filter rejected, by reason.

    Revalidations come last, if there are any; evaluations are no part of it. The costs of the records are without their
    layers. ``problem`` is what went wrong after the search, whose results are there all the same. ``missing`` are the
    stages that were to be carried out and are not over.
    """

    name: str
    records: tuple[Record, ...]
    ending: Ending
    rejections: Mapping[str, int]
    problem: TinySearchError | None = None
    missing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show how it ended, and the best."""
        problem = "" if self.problem is None else f", problem: {self.problem}"
        return f"<RunOutcome {self.name!r}: {self.ending}, {len(self.records)} records, best {self.best!r}{problem}>"

    @property
    def best(self) -> Record | None:
        """The first record of the best candidate, see ``ranking``; baselines are candidates too."""
        return best(self.records)

    @property
    def told(self) -> Ending:
        """What callbacks hear of its end: that it failed after an error, or where every training failed."""
        failed = self.problem or (self.failure and self.ending != "interrupted")
        return "failed" if failed else self.ending

    @property
    def failure(self) -> TrainingError | None:
        """The error that there is no best candidate, because all failed; None if one was trained, or none tried."""
        return TrainingError(all_failed(self.records)) if self.records and self.best is None else None


def all_failed(records: Sequence[Record]) -> str:
    """Return that all candidates failed, and why the last one did."""
    count = len(records)
    failed = "the only candidate failed" if count == 1 else f"all {count:,} candidates failed; the last one"
    return f"{failed}: {records[-1].measurement.failure}"
