"""What a command to copy needs so that it works as it stands: words that find the store and the data of a run."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from tinysearch.results.run import Run

# Stands for what only the person knows who has the data.
PLACEHOLDER = "DATA"


def data_words(run: Run | None) -> list[str]:
    """Return the words by which a command on a run finds its data; none where the run itself says where that is."""
    from tinysearch.data.source import NAMED

    if run is None or run.source or (run.source is None and run.dataset in NAMED):
        return []
    return ["--data", PLACEHOLDER]


def baseline_words(run: Run) -> list[str]:
    """Return the words by which ``reproduce`` trains baselines on the data of a run.

    That is the run itself where it says where it has read them from, else a dataset by its name.
    """
    from tinysearch.data.source import NAMED

    if run.source is None and run.dataset in NAMED:
        return [] if run.dataset == "mnist" else ["--dataset", run.dataset]
    return ["--run", run.name, *data_words(run)]


def resume(run: Run, store: Sequence[str] = ()) -> str:
    """Return the command that goes on with a run.

    Args:
        run: The run.
        store: The words that find its store, if it is not the default one.
    """
    return shlex.join(["tinysearch", "run", "--name", run.name, "--resume", *data_words(run), *store])
