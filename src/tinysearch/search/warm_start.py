"""What a run learns from: other runs in the store on the same data.

Which they are and how much there is of them is decided when a run begins, and is among its settings: what they find
later changes nothing in a run that is resumed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tinysearch.errors import DamagedError, RunError
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.search.plugins import NO_PLUGINS, Plugins
from tinysearch.search.settings import RunSettings, WarmStart
from tinysearch.search.strategies.registry import uses_history

# So many trainings of other runs are learnt from without being asked, at the most: they are read when a run begins, and
# every proposal goes through them.
MOST = 1_000


def named(warm_start: object) -> list[str]:
    """Return the names of the runs to learn from: of one, of several, or of none where nothing is given.

    Raises:
        RunError: if something else is given.
    """
    listed: list[Any] = [] if warm_start is None else [warm_start]
    if isinstance(warm_start, Iterable) and not isinstance(warm_start, str):
        listed = list(warm_start)
    if not all(isinstance(one, str) for one in listed):
        raise RunError(f"`warm_start=` is the name of a run, or several names, got {warm_start!r}")
    return listed


def extents(store: Store, warm_start: object) -> tuple[WarmStart, ...]:
    """Return how much there is of some runs, see ``named``.

    Raises:
        RunError: if one of them is not in the store.
    """
    chosen = named(warm_start)
    store.check_names(chosen)
    return tuple(WarmStart(name, *store.extent(name)) for name in chosen)


def available(
    store: Store, fingerprint: str, settings: RunSettings, plugins: Plugins = NO_PLUGINS
) -> tuple[WarmStart, ...]:
    """Return what a run that begins can learn from, the oldest run first.

    These are searches on the same training images, so with the same input shape and classes, as far as their candidates
    were trained for as many epochs and measured by the objective. The latest come first where there are more than
    ``MOST`` trainings; a run of more than that, and one that is damaged, is left out. There is nothing to learn for a
    strategy that does not look at the history.

    Args:
        store: Has the runs.
        fingerprint: That of the training images.
        settings: Those of the run that begins.
        plugins: Has its strategy, if that was given as a value.

    Raises:
        PluginError: if a strategy of one's own cannot be loaded.
    """
    if not uses_history(plugins.strategy_of(settings)):
        return ()
    found: list[WarmStart] = []
    room = MOST
    for run in reversed(store.runs()):
        if run.fingerprint != fingerprint or not run.is_search:
            continue
        extent = WarmStart(run.name, *store.extent(run.name))
        if extent.trials + extent.revalidations > room:
            continue
        try:
            learnt = learnt_from(store, extent, settings)
        except DamagedError:
            continue
        if learnt:
            found.append(extent)
            room -= extent.trials + extent.revalidations
    return tuple(reversed(found))


def learnt_from(store: Store, extent: WarmStart, settings: RunSettings) -> list[Record]:
    """Return the records of another run that are learnt from: those of its first trials, then its revalidations.

    They are records of the present run's objective that were to be trained for as many epochs; those of which the value
    is not known are left out, and the hand-designed baselines, which a run trains itself. Evaluations are no part of
    it: their scores are those of test images.

    Raises:
        RunError: if the run is not in the store.
        DamagedError: if one of the records cannot be read.
    """
    searched = store.records(extent.run, purpose="search")
    again = store.records(extent.run, purpose="revalidation") if extent.revalidations else []
    first = [one for one in searched if one.position is not None and one.position < extent.trials]
    return [
        record
        for one in (*first, *again[: extent.revalidations])
        if (record := one.by(settings.objective, settings.direction)).origin == "search"
        and record.recipe.get("epochs") == settings.recipe.epochs
        and (record.failed or record.value is not None)
    ]
