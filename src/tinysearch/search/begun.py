"""Detection of an interrupted run with the same settings as a new one, which the user may have meant to resume."""

from __future__ import annotations

import json
from typing import Any

from tinysearch.errors import TinySearchError
from tinysearch.report import figures
from tinysearch.results.lock import holder
from tinysearch.results.run import Run
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import MAY_CHANGE, RunSettings

# Settings that may differ when the same command is given again: the length of the run, the runs it learns from, and the
# threads that the machine offers.
_MAY_DIFFER = (*MAY_CHANGE, "warm_start_trials", "threads")


def begun_before(run: SearchRun) -> str | None:
    """Return a note that names an interrupted run with the settings of a new one and how to resume it, or None."""
    mine = _essential(run.settings)
    for other in reversed(run.store.runs()):
        if other.name == run.name or other.fingerprint != run.dataset.fingerprint or not other.is_search:
            continue
        # Settings are compared first, so that the records of few runs are read.
        left = _left(run, other) if _essential_of(other) == mine else ""
        if left and holder(run.store.folder_of(other.name)) is None:
            # With several budgets the run is a frontier, which is resumed by its name alone.
            more = "" if run.settings.budgets else " and `resume=True`"
            return (
                f"this is a new run; {other.name} has the same settings and was interrupted {left}; to resume it, give "
                f"`name={other.name!r}`{more}"
            )
    return None


def _left(run: SearchRun, other: Run) -> str:
    """Return where another run was interrupted, or an empty string if it was not."""
    records = run.store.summaries(other.name)
    done = sum(one.purpose == "search" and one.origin == "search" for one in records)
    # A run with rejections after its last record has nothing new to propose.
    if other.finished_at is None and done < other.settings["trials"] and not other.rejections:
        return f"after {done} of {figures.counted(other.settings['trials'], 'trial')}"
    wanted = other.settings.get("evaluate", 0)
    if wanted and not any(one.purpose == "evaluation" for one in records) and run.dataset.test_images != 0:
        return "before its winner was evaluated"
    return "after its search" if other.finished_at is None else ""


def _essential_of(run: Run) -> dict[str, Any] | None:
    """Return the settings that distinguish a run, whichever version wrote them; None if they cannot be read."""
    try:
        return _essential(RunSettings.from_dict(run.settings))
    except TinySearchError:
        return None


def _essential(settings: RunSettings) -> dict[str, Any]:
    values = settings.to_dict()
    # As the store returns them: tuples become lists.
    plain: dict[str, Any] = json.loads(json.dumps({name: values[name] for name in values.keys() - {*_MAY_DIFFER}}))
    return plain
