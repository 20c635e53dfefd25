"""Whether runs are being carried out, in words."""

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
    """A run at one moment.

    Args:
        name, dataset: Of the run.
        kind: Whether a process carries it out, it came to its end, or it stands still before that.
        state: The same in words, with what to do about it.
        trials: How many are done, and of how many.
    """

    name: str
    dataset: str
    kind: Literal["running", "finished", "stopped"]
    state: str
    trials: str


class RunStates:
    """Looks at all runs of a store again and again.

    Args:
        store: The store.
        runs: Names of runs; all if none is named.
        words: By which a command finds the store, if it is not the default one.
    """

    def __init__(self, store: Store, runs: tuple[str, ...] = (), words: Sequence[str] = ()) -> None:
        self._store = store
        self._words = tuple(words)
        self._runs = runs
        self._watches: dict[str, HolderWatch] = {}

    def look(self, done: Mapping[str, int]) -> list[RunState]:
        """Return the state of each run, the latest first.

        Args:
            done: How many trials of a run are done; none if it is not there.
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
    """Say in words whether a run is in progress, and how to resume it if it is not.

    Args:
        run: The run.
        who: The process that runs it, if there is one.
        silent: A process that did and is considered dead.
        store: The words by which a command finds the store, if it is not the default one.
    """
    if who is not None:
        return f"in progress, in {who}"
    if run.finished_at is not None:
        return f"finished at {run.finished_at}"
    state = "no process is running it"
    if silent is not None:
        state = f"{silent} gave no sign of life for {SILENCE / 60:.0f} minutes and is considered dead"
    return f"{state}; resume it with {resume(run, store)}" if run.is_search else state
