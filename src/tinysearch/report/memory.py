"""Cache of the records and candidates of earlier reports, so that the next report reads only new records."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from tinysearch.report.contents import Candidate
from tinysearch.results.leaderboard import Row
from tinysearch.results.record import Direction, Record
from tinysearch.results.run import Run
from tinysearch.results.store import Store


class Memory:
    """Cache of the records of one store and of the candidates made of them; empty at first."""

    def __init__(self) -> None:
        self._last = 0
        self._records: list[Record] = []
        # The same records, converted to the metric that they are ranked by.
        self._ranked: list[Record] = []
        self._metric: tuple[str, Direction] | None = None
        self._candidates: dict[tuple[str, str, str], tuple[Sequence[Record], Candidate]] = {}

    def records(
        self, store: Store, known: Collection[Run], runs: Collection[str], metric: tuple[str, Direction] | None
    ) -> list[Record]:
        """Return the records of runs, sorted by run and position, with the metric that they are ranked by.

        Args:
            store: The store.
            known: Runs of the store, oldest first.
            runs: Names of the wanted runs; all if empty.
            metric: Metric for the ranks, with its direction; None for the objective of the run of each record.
        """
        new, self._last = store.records_after(self._last)
        self._records += [one for one in new if not runs or one.run in runs]
        if metric != self._metric:
            self._metric, self._ranked = metric, []
        newer = self._records[len(self._ranked) :]
        self._ranked += newer if metric is None else [one.by(*metric) for one in newer]
        places = {run.name: place for place, run in enumerate(known)}
        return sorted(
            self._ranked,
            key=lambda one: (places.get(one.run, len(places)), one.position is None, one.position or 0),
        )

    def candidate(
        self, row: Row, trainings: Sequence[Record], make: Callable[[Row, Sequence[Record]], Candidate]
    ) -> Candidate:
        """Return the candidate of a row, made again only if its trainings have changed or it has test scores.

        A candidate with test scores is compared with others, and their number may have grown.
        """
        place = (row.run, row.key, row.dataset)
        known, found = self._candidates.get(place, ((), None))
        same = len(known) == len(trainings) and all(a is b for a, b in zip(known, trainings, strict=True))
        if found is None or row.test_seeds or not same:
            found = make(row, trainings)
        elif found.row != row:
            found = replace(found, row=row)
        self._candidates[place] = trainings, found
        return found
