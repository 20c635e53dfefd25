"""Updates of the dashboard from a store, which is only read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinysearch.report.build import build
from tinysearch.report.contents import Report
from tinysearch.report.dashboard.board import Board
from tinysearch.report.memory import Memory
from tinysearch.report.states import RunState, RunStates
from tinysearch.results.store import Store

Images = Mapping[str, Any]


class Follower:
    """Updater of a board: each ``look`` reads a store and passes on what has changed.

    Args:
        store: The store.
        board: The board to update.
        runs: Names of runs; all if empty, including runs that start later.
        metric: See ``build``.
        documented: See ``build``.
        images: Function from names of datasets to the available test images, in the form that ``build`` takes.
        words: Command-line words that select the store, see ``Report``.
    """

    def __init__(
        self,
        store: Store,
        board: Board,
        runs: Sequence[str] = (),
        *,
        metric: str | None = None,
        documented: Mapping[str, float] | None = None,
        images: Callable[[set[str]], Images] | None = None,
        words: Sequence[str] = (),
    ) -> None:
        store.check_names(runs)
        self._store = store
        self._board = board
        self._runs = tuple(runs)
        self._metric = metric
        self._documented = documented
        self._images = images
        self._words = words
        self._states = RunStates(store, self._runs, words)
        self._memory = Memory()
        self._version: int | None = None
        self._datasets: set[str] = set()
        self._pictures: Images = {}
        self._seen: tuple[Report, list[RunState]] | None = None

    def look(self) -> None:
        """Read the store once and update the board; cheap if no record was written and no process started or ended."""
        version = self._store.version()
        report = self._report() if self._seen is None or version != self._version else self._seen[0]
        self._version = version
        done = {search.run: len(search.best) for section in report.sections for search in section.searches}
        seen = report, self._states.look(done)
        if self._seen is None or seen[0] is not self._seen[0] or seen[1] != self._seen[1]:
            self._board.put(*seen)
        self._seen = seen

    def _report(self) -> Report:
        runs = self._store.runs()
        datasets = {run.dataset for run in runs if not self._runs or run.name in self._runs}
        if datasets != self._datasets and self._images is not None:
            self._pictures = self._images(datasets)
        self._datasets = datasets
        return build(
            self._store,
            self._runs,
            documented=self._documented,
            images=self._pictures,
            words=self._words,
            metric=self._metric,
            memory=self._memory,
        )
