"""Results of a study: its records and candidates, read from its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinysearch.api.result import Result
from tinysearch.errors import RunError, StoreError

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.results.leaderboard import Leaderboard
    from tinysearch.results.record import Record
    from tinysearch.results.standing import Standing
    from tinysearch.results.store import Store
    from tinysearch.results.summary import Summary
    from tinysearch.search.settings import RunSettings


class StudyResults:
    """Base class of ``Study`` that reads the results of its run.

    Attributes:
        dataset: The data.
        settings: The settings.
    """

    dataset: Dataset
    settings: RunSettings
    _store: Store
    _name: str | None
    _verbose: bool | int

    def __repr__(self) -> str:
        """Show a summary of the study."""
        from tinysearch.results.ranking import ranked

        named = "without a name" if self._name is None else repr(self._name)
        about = f"Study {named}: {self.dataset.name}, {' and '.join(self.settings.budget.limits)}"
        try:
            known = self._summaries()
        except StoreError:
            return f"<{about}, closed>"
        searched = sum((one.purpose, one.origin) == ("search", "search") for one in known)
        best = "".join(f", best {one.first.name} with {one.first.params:,} params" for one in ranked(known)[:1])
        return f"<{about}, {searched} of {self.settings.trials} trials{best}>"

    @property
    def store(self) -> Store:
        """The store of the records."""
        return self._store

    @property
    def name(self) -> str | None:
        """Name of the run; None for an unnamed run that has not started."""
        return self._name

    @property
    def records(self) -> list[Record]:
        """All records of the run."""
        return self._store.records(self._name) if self._name is not None and self._store.has(self._name) else []

    @property
    def leaderboard(self) -> Leaderboard:
        """The ranked candidates: a table where it is printed or shown in a notebook, and its ``rows``."""
        from tinysearch.report.board import Board
        from tinysearch.results.leaderboard import rank

        return Board.showing(rank(self._summaries()))

    @property
    def results(self) -> tuple[Result, ...]:
        """The candidates in the order of the leaderboard, best first."""
        from tinysearch.results.ranking import ranked

        if self._name is None:
            return ()
        return tuple(self._result(one, self._name) for one in ranked(self.records))

    @property
    def best(self) -> Result:
        """The first candidate of the leaderboard, baselines included.

        Raises:
            RunError: if no candidate was trained, with the reason if all failed.
        """
        from tinysearch.results.ranking import ranked
        from tinysearch.search.outcome import all_failed

        standings = ranked(self._summaries())
        if not standings or self._name is None:
            failed = self.records
            why = f": {all_failed(failed)}" if failed else ""
            raise RunError(f"study {self._name or ''!r} has trained no candidate{why}")
        # Full records are read for the first candidate only.
        records = [one for one in self._store.find(standings[0].first.key) if one.run == self._name]
        (found,) = (one for one in ranked(records) if one.first.key == standings[0].first.key)
        return self._result(found, self._name)

    def _result(self, standing: Standing[Record], run: str) -> Result:
        folder = self._store.folder_of(run)
        known = self.dataset, folder, self._store.file, self.settings.budget
        return Result.of(standing, *known, verbose=bool(self._verbose))

    def _summaries(self) -> list[Summary]:
        known = self._name is not None and self._store.has(self._name)
        return self._store.summaries(self._name) if known else []
