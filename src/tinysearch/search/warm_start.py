"""Warm start: the records of other runs in the store on the same data that a run learns from.

The runs and the number of their records are fixed when a run begins and are part of its settings: later records of
these runs change nothing when it is resumed.
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

# Maximum number of trainings of other runs that a run learns from by default. They are read when the run begins, and
# every proposal processes them.
MOST = 1_000


def named(warm_start: object) -> list[str]:
    """Return the names of the runs to learn from, given as one name, several names or None.

    Raises:
        RunError: if ``warm_start`` is anything else.
    """
    listed: list[Any] = [] if warm_start is None else [warm_start]
    if isinstance(warm_start, Iterable) and not isinstance(warm_start, str):
        listed = list(warm_start)
    if not all(isinstance(one, str) for one in listed):
        raise RunError(f"`warm_start=` is the name of a run, or several names, got {warm_start!r}")
    return listed


def extents(store: Store, warm_start: object) -> tuple[WarmStart, ...]:
    """Return the runs to learn from, see ``named``, with the number of records that each has now.

    Raises:
        RunError: if one of them is not in the store.
    """
    chosen = named(warm_start)
    store.check_names(chosen)
    return tuple(WarmStart(name, *store.extent(name)) for name in chosen)


def available(
    store: Store, fingerprint: str, settings: RunSettings, plugins: Plugins = NO_PLUGINS
) -> tuple[WarmStart, ...]:
    """Return the runs that a new run can learn from, the oldest run first.

    These are searches on the same training images, so with the same input shape and classes, that have candidates
    trained for the same number of epochs and measured by the objective. If they have more than ``MOST`` trainings,
    later runs are preferred. Runs with more trainings than are left of ``MOST``, and damaged runs, are left out. The
    result is empty for a strategy that does not use the history.

    Args:
        store: Store with the runs.
        fingerprint: Fingerprint of the training images.
        settings: Settings of the new run.
        plugins: Plugins with the strategy of the new run, if that was given as a value.

    Raises:
        PluginError: if a custom strategy cannot be loaded.
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
    """Return the records of another run to learn from: those of its first trials, then its first revalidations.

    They have values of the new run's objective and the same number of planned epochs. Records without a value are left
    out unless they are failures, and so are hand-designed baselines, which each run trains itself. Evaluations are left
    out because their scores come from test images.

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
