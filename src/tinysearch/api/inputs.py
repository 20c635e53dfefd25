"""Conversion and checks of the arguments of a study: data, stores, names of runs."""

from __future__ import annotations

import re
import sys
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tinysearch.errors import InputError, RunError

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.callback import Callback
    from tinysearch.results.run import Run
    from tinysearch.results.store import Store
    from tinysearch.search.outcome import RunOutcome
    from tinysearch.search.settings import RunSettings
    from tinysearch.space.budget import Budget


Resume = Literal["auto", True, False]


def open_store(store: Path | str | None, *, create: bool = True) -> Store:
    """Open a store, by default the one of ``$TINYSEARCH_STORE`` or ``runs/tinysearch.db``."""
    from tinysearch.results.store import Store, default_path
    from tinysearch.runtime.paths import local

    return Store(local(store, "a store") if store is not None else default_path(), create=create)


def stored_settings(run: Run | None) -> RunSettings | None:
    """Return the stored settings of a run; None for no run.

    Raises:
        RunError: if this version cannot use them.
    """
    from tinysearch.search.settings import RunSettings

    if run is None:
        return None
    try:
        return RunSettings.from_dict(run.settings)
    except InputError as error:
        raise RunError(f"run {run.name!r} cannot be resumed: {error}") from None


def load_data(data: Any, dataset: str = "auto", reading: Reading | None = None) -> Dataset:
    """Load a dataset from the arguments of ``Study``, and check it.

    Raises:
        DatasetError: if the data cannot be found, cannot be used, or fails a check.
    """
    from tinysearch.data.checks import checked
    from tinysearch.data.loading import load

    return checked(load(dataset, None if isinstance(data, str) and data == "auto" else data, reading=reading))


def shown(verbose: bool | int) -> list[Callback]:
    """Return the callbacks that show progress and turn notes into warnings."""
    from tinysearch.report.display import WarnedNotes, display

    shown = display(verbose)
    return [WarnedNotes(), *([] if shown is None else [shown])]


def tell_of_interruption(store: Store, name: str, remedy: str | None = None) -> None:
    """Print how much of an interrupted run is stored, and how to continue it."""
    from tinysearch.report import figures
    from tinysearch.report.display import tell_of_interruption as tell

    finished = len(store.summaries(name)) if store.has(name) else 0
    kept = figures.counted(finished, "finished training")
    tell(f"run {name!r} in {store.path} keeps {kept}", remedy or f"call it again with name={name!r} to continue")


def raise_what_ended(outcome: RunOutcome, store: Store, *, verbose: bool | int) -> None:
    """Raise the interruption or error that ended a run; on Ctrl-C, first print how much of the run is stored.

    Raises:
        KeyboardInterrupt: if the run was interrupted.
        TinySearchError: if the outcome has a ``problem``.
    """
    if outcome.ending == "interrupted":
        if verbose:
            tell_of_interruption(store, outcome.name)
        raise KeyboardInterrupt
    if outcome.problem is not None:
        raise outcome.problem


def warn_of_old_ranges(space: object) -> None:
    """Warn if a space uses the old format, in which lists are ranges; the warning shows the new format."""
    from tinysearch.space.space_file import format_note
    from tinysearch.space.space_spec import has_old_ranges

    if isinstance(space, Mapping) and has_old_ranges(space):
        warnings.warn(format_note(space, "space"), FutureWarning, stacklevel=_frames_of_the_package())


def _frames_of_the_package() -> int:
    """Return the ``stacklevel`` with which the calling function attributes a warning to the caller of the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("tinysearch."):
        frame, level = frame.f_back, level + 1
    return level


def latest_search(store: Store) -> Run:
    """Return the latest search of a store.

    Raises:
        RunError: if the store has no search.
    """
    searches = [run for run in store.runs() if run.is_search]
    if not searches:
        raise RunError(f"the store {store.path} has no run to resume; start one first")
    return searches[-1]


def run_to_resume(store: Store, name: str | None, resume: Resume) -> Run | None:
    """Return the run to resume; None to start a new one.

    Args:
        store: The store to look in.
        name: Name of the run; with ``resume=True``, None for the latest search.
        resume: See ``Study``.

    Raises:
        RunError: if the run cannot be resumed, or cannot be started because its name is taken.
    """
    from tinysearch.results.lock import holder

    if resume is False or (resume == "auto" and (name is None or not store.has(name))):
        if name is not None and store.has(name):
            carrier = holder(store.folder_of(name))
            if carrier is not None:
                raise RunError(f"run {name!r} is in use by {carrier}; wait for it, stop it, or give another `name=`")
            raise RunError(
                f"a run named {name!r} is in the store already; continue it with `resume=True`, or give another `name=`"
            )
        return None
    run = store.run(name) if name is not None else latest_search(store)
    if not run.is_search:
        raise RunError(f"run {run.name!r} is not a search and cannot be resumed; start a search under another `name=`")
    return run


def free_name(store: Store, dataset: Dataset, budget: Budget) -> str:
    """Return a name for a new run, made of dataset and budget, that the store does not have yet."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name).strip("-.")[:60] or "data"
    number = 1
    while store.has(name := f"{stem}-{budget.params}-{number}"):
        number += 1
    return name
