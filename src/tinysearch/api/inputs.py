"""What people give to a study, in the forms in which they give it: data, stores, names of runs."""

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
    """Return the settings that a run began with; None for no run.

    Raises:
        RunError: if they cannot be used any more.
    """
    from tinysearch.search.settings import RunSettings

    if run is None:
        return None
    try:
        return RunSettings.from_dict(run.settings)
    except InputError as error:
        raise RunError(f"run {run.name!r} cannot be resumed: {error}") from None


def load_data(data: Any, dataset: str = "auto", reading: Reading | None = None) -> Dataset:
    """Return a dataset of what a person gives for it, see ``Study``, checked for what may be wrong with it.

    Raises:
        DatasetError: if it cannot be had, cannot be used, or something is wrong with it.
    """
    from tinysearch.data.checks import checked
    from tinysearch.data.loading import load

    return checked(load(dataset, None if isinstance(data, str) and data == "auto" else data, reading=reading))


def shown(verbose: bool | int) -> list[Callback]:
    """Return what shows progress, and the notes as warnings."""
    from tinysearch.report.display import WarnedNotes, display

    shown = display(verbose)
    return [WarnedNotes(), *([] if shown is None else [shown])]


def tell_of_interruption(store: Store, name: str, remedy: str | None = None) -> None:
    """Say what is kept of a run that was interrupted, and how to go on with it."""
    from tinysearch.report import figures
    from tinysearch.report.display import tell_of_interruption as tell

    finished = len(store.summaries(name)) if store.has(name) else 0
    kept = figures.counted(finished, "finished training")
    tell(f"run {name!r} in {store.path} keeps {kept}", remedy or f"call it again with name={name!r} to continue")


def raise_what_ended(outcome: RunOutcome, store: Store, *, verbose: bool | int) -> None:
    """Raise what has ended a run too early: Ctrl-C, once it is said what is kept, or an error.

    Raises:
        KeyboardInterrupt: if it was interrupted.
        TinySearchError: if something went wrong.
    """
    if outcome.ending == "interrupted":
        if verbose:
            tell_of_interruption(store, outcome.name)
        raise KeyboardInterrupt
    if outcome.problem is not None:
        raise outcome.problem


def warn_of_old_ranges(space: object) -> None:
    """Warn of a space whose lists are ranges, with the new form."""
    from tinysearch.space.space_file import format_note
    from tinysearch.space.space_spec import has_old_ranges

    if isinstance(space, Mapping) and has_old_ranges(space):
        warnings.warn(format_note(space, "space"), FutureWarning, stacklevel=_frames_of_the_package())


def _frames_of_the_package() -> int:
    """Return the level at which a function that calls this one warns whoever has called the package."""
    frame, level = sys._getframe(1), 1
    while frame.f_back is not None and str(frame.f_globals.get("__name__")).startswith("tinysearch."):
        frame, level = frame.f_back, level + 1
    return level


def latest_search(store: Store) -> Run:
    """Return the latest search of a store.

    Raises:
        RunError: if there is none.
    """
    searches = [run for run in store.runs() if run.is_search]
    if not searches:
        raise RunError(f"the store {store.path} has no run to resume; begin one first")
    return searches[-1]


def run_to_resume(store: Store, name: str | None, resume: Resume) -> Run | None:
    """Return the run to go on with; None to begin one.

    Args:
        store: Where it is looked for.
        name: Its name; None for the latest one, if it is to be resumed.
        resume: See ``Study``.

    Raises:
        RunError: if the run cannot be resumed, or cannot be begun because there is one of this name.
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
    """Return a name made of dataset and budget that no run of a store has."""
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", dataset.name).strip("-.")[:60] or "data"
    number = 1
    while store.has(name := f"{stem}-{budget.params}-{number}"):
        number += 1
    return name
