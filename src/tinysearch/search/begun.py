"""Runs that were begun before with the settings of a new one, and that who types a command again may mean."""

from __future__ import annotations

import json
from typing import Any

from tinysearch.errors import TinySearchError
from tinysearch.report import figures
from tinysearch.results.lock import holder
from tinysearch.results.run import Run
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import MAY_CHANGE, RunSettings

# What does not tell a run from the same command given again: how far it goes, what it knew of other runs, and what the
# machine had to offer.
_MAY_DIFFER = (*MAY_CHANGE, "warm_start_trials", "threads")


def begun_before(run: SearchRun) -> str | None:
    """Return which run with the settings of a new one was interrupted, and how to resume it; None if there is none."""
    mine = _essential(run.settings)
    for other in reversed(run.store.runs()):
        if other.name == run.name or other.fingerprint != run.dataset.fingerprint or not other.is_search:
            continue
        # The settings are compared first: records are read of few runs.
        left = _left(run, other) if _essential_of(other) == mine else ""
        if left and holder(run.store.folder_of(other.name)) is None:
            # With several budgets it is a frontier, which goes on by its name alone.
            more = "" if run.settings.budgets else " and `resume=True`"
            return (
                f"this is a new run; {other.name} has the same settings and was interrupted {left}; to resume it, give "
                f"`name={other.name!r}`{more}"
            )
    return None


def _left(run: SearchRun, other: Run) -> str:
    """Return where another run was interrupted; nothing if it was not."""
    records = run.store.summaries(other.name)
    done = sum(one.purpose == "search" and one.origin == "search" for one in records)
    # What has rejected something after its last record has nothing more to propose.
    if other.finished_at is None and done < other.settings["trials"] and not other.rejections:
        return f"after {done} of {figures.counted(other.settings['trials'], 'trial')}"
    wanted = other.settings.get("evaluate", 0)
    if wanted and not any(one.purpose == "evaluation" for one in records) and run.dataset.test_images != 0:
        return "before its winner was evaluated"
    return "after its search" if other.finished_at is None else ""


def _essential_of(run: Run) -> dict[str, Any] | None:
    """Return what tells a run from others, whichever version began it; None if that cannot be read."""
    try:
        return _essential(RunSettings.from_dict(run.settings))
    except TinySearchError:
        return None


def _essential(settings: RunSettings) -> dict[str, Any]:
    values = settings.to_dict()
    # As the store gives it back: lists where there were tuples.
    plain: dict[str, Any] = json.loads(json.dumps({name: values[name] for name in values.keys() - {*_MAY_DIFFER}}))
    return plain
