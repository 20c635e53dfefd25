"""What earlier reports of a store were made of, so that the next one reads only what is new."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from tinysearch.report.contents import Candidate
from tinysearch.results.leaderboard import Row
from tinysearch.results.record import Direction, Record
from tinysearch.results.run import Run
from tinysearch.results.store import Store


class Memory:
    """Records of one store, and the candidates that were made of them; at first there are none."""

    def __init__(self) -> None:
        self._last = 0
        self._records: list[Record] = []
        # As they are ranked, which is by what the runs were searched for unless another metric is named.
        self._ranked: list[Record] = []
        self._metric: tuple[str, Direction] | None = None
        self._candidates: dict[tuple[str, str, str], tuple[Sequence[Record], Candidate]] = {}

    def records(
        self, store: Store, known: Collection[Run], runs: Collection[str], metric: tuple[str, Direction] | None
    ) -> list[Record]:
        """Return the records of some runs, those of a run by position, ranked by a metric.

        Args:
            store: Where they are.
            known: Its runs, oldest first.
            runs: The names of those that are wanted; all if none is named.
            metric: What they are ranked by, and its direction; None for the objective of the run of each.
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
        """Return the candidate of a row, made anew only if there is something new of it.

        What was scored on test images is compared with others, of which there may be more by now.
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
