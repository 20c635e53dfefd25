"""Command-line words that complete a command to copy: those that select the data of a run, and how to resume it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tinysearch.results.run import Run

# Placeholder for the path of data that the store does not know.
PLACEHOLDER = "DATA"


def data_words(run: Run | None) -> list[str]:
    """Return the words that select the data in a command on a run; none if the store knows where the data is."""
    from tinysearch.data.source import NAMED

    if run is None or run.source or (run.source is None and run.dataset in NAMED):
        return []
    return ["--data", PLACEHOLDER]


def baseline_words(run: Run) -> list[str]:
    """Return the words with which ``reproduce`` trains baselines on the data of a run.

    They name the dataset if the run has no stored source and its dataset is a known one, else the run.
    """
    from tinysearch.data.source import NAMED

    if run.source is None and run.dataset in NAMED:
        return [] if run.dataset == "mnist" else ["--dataset", run.dataset]
    return ["--run", run.name, *data_words(run)]


def resume(run: Run, store: Sequence[str] = ()) -> str:
    """Return the command that resumes a run.

    Args:
        run: The run.
        store: Words that select its store, if it is not the default one.
    """
    return shlex.join(["tinysearch", "run", "--name", run.name, "--resume", *data_words(run), *store])
