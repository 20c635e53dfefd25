"""The outcome of a run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tinysearch.errors import TinySearchError, TrainingError
from tinysearch.results.callback import Ending
from tinysearch.results.ranking import best
from tinysearch.results.record import Record


@dataclass(frozen=True, slots=True, repr=False)
class RunOutcome:
    """Outcome of a run: its records in order, why it ended, and the number of rejected candidates by reason.

    Revalidations come last; evaluations are not included. The costs of search records have no layers. ``problem`` is
    the error that occurred after the search; the results of the search are valid all the same. ``missing`` lists the
    requested stages that have not finished.
    """

    name: str
    records: tuple[Record, ...]
    ending: Ending
    rejections: Mapping[str, int]
    problem: TinySearchError | None = None
    missing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Show the ending, the number of records and the best record."""
        problem = "" if self.problem is None else f", problem: {self.problem}"
        return f"<RunOutcome {self.name!r}: {self.ending}, {len(self.records)} records, best {self.best!r}{problem}>"

    @property
    def best(self) -> Record | None:
        """The first record of the best candidate, baselines included, see ``ranking``; None if none was validated."""
        return best(self.records)

    @property
    def told(self) -> Ending:
        """The ending for callbacks: ``"failed"`` after an error, or if all trainings of an uninterrupted run failed."""
        failed = self.problem or (self.failure and self.ending != "interrupted")
        return "failed" if failed else self.ending

    @property
    def failure(self) -> TrainingError | None:
        """The error if all candidates failed; None if one was trained or none was tried."""
        return TrainingError(all_failed(self.records)) if self.records and self.best is None else None


def all_failed(records: Sequence[Record]) -> str:
    """Return a message that all candidates failed, with the failure of the last one."""
    count = len(records)
    failed = "the only candidate failed" if count == 1 else f"all {count:,} candidates failed; the last one"
    return f"{failed}: {records[-1].measurement.failure}"
