"""Plug-ins that are named on the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tinysearch.results.callback import Callback
    from tinysearch.workers.executor import Executor

LOCAL = "local"


def callbacks(names: Sequence[str] | None) -> list[Callback]:
    """Return callbacks by their names.

    Raises:
        PluginError: if one cannot be loaded or made.
    """
    from tinysearch.results.callback import Callback
    from tinysearch.runtime.plugins import find, made

    return [made("callback", find("callback", name), Callback) for name in names or ()]


@contextlib.contextmanager
def executor(name: str, workers: int | None) -> Iterator[Executor | None]:
    """Return an executor by its name, and close it in the end; None for the processes of this machine.

    Args:
        name: ``"local"``, or that of an executor of one's own: its class is called with ``workers`` if that is given.
        workers: How many candidates to train at a time.

    Raises:
        PluginError: if it cannot be loaded or made.
    """
    if name == LOCAL:
        yield None
        return
    from tinysearch.runtime.plugins import find, made
    from tinysearch.workers.executor import Executor

    given = {} if workers is None else {"workers": workers}
    found: Executor = made("executor", find("executor", name, [LOCAL]), Executor, **given)
    with found:
        yield found
