"""State of runs, in words: running, finished or stopped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tinysearch.report.commands import resume
from tinysearch.results.lock import SILENCE, Holder, HolderWatch
from tinysearch.results.run import Run
from tinysearch.results.store import Store


@dataclass(frozen=True, slots=True)
class RunState:
    """State of a run at one moment.

    Args:
        name, dataset: Name of the run and of its dataset.
        kind: ``"running"`` if a process runs it, else ``"finished"``, or ``"stopped"`` before its end.
        state: Description of the state, with the command to resume a stopped search.
        trials: Number of trials done, and the total in the settings.
    """

    name: str
    dataset: str
    kind: Literal["running", "finished", "stopped"]
    state: str
    trials: str


class RunStates:
    """Repeated observation of the runs of a store.

    Args:
        store: The store.
        runs: Names of runs; all if empty.
        words: Command-line words that select the store, if it is not the default one.
    """

    def __init__(self, store: Store, runs: tuple[str, ...] = (), words: Sequence[str] = ()) -> None:
        self._store = store
        self._words = tuple(words)
        self._runs = runs
        self._watches: dict[str, HolderWatch] = {}

    def look(self, done: Mapping[str, int]) -> list[RunState]:
        """Return the state of each run, the latest first.

        Args:
            done: Number of trials done, by run; a run that is missing has none.
        """
        found = [self._state(run, done) for run in self._store.runs() if not self._runs or run.name in self._runs]
        return found[::-1]

    def _state(self, run: Run, done: Mapping[str, int]) -> RunState:
        watch = self._watches.setdefault(run.name, HolderWatch(self._store.folder_of(run.name)))
        who = watch.look()
        kind: Literal["running", "finished", "stopped"] = "stopped" if run.finished_at is None else "finished"
        planned = run.settings.get("trials")
        trials = f"{done.get(run.name, 0):,}" + ("" if planned is None else f" of {planned:,}")
        return RunState(
            run.name,
            run.dataset,
            kind if who is None else "running",
            described(run, who, watch.silent, self._words),
            trials,
        )


def described(run: Run, who: Holder | None, silent: Holder | None = None, store: Sequence[str] = ()) -> str:
    """Return in words whether a run is in progress, and how to resume it if it is not.

    Args:
        run: The run.
        who: The process that runs it; None if there is none.
        silent: A process that ran it and is considered dead; None if there is none.
        store: Command-line words that select the store, if it is not the default one.
    """
    if who is not None:
        return f"in progress, in {who}"
    if run.finished_at is not None:
        return f"finished at {run.finished_at}"
    state = "no process is running it"
    if silent is not None:
        state = f"{silent} gave no sign of life for {SILENCE / 60:.0f} minutes and is considered dead"
    return f"{state}; resume it with {resume(run, store)}" if run.is_search else state
