"""Executors that are named on the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from tinysearch.errors import InputError

if TYPE_CHECKING:
    from tinysearch.workers.executor import Executor

LOCAL = "local"


@contextlib.contextmanager
def executor(
    name: str, workers: int | None, address: str | None = None, stall_limit: float | None = None
) -> Iterator[Executor | None]:
    """Return an executor by its name, and close it in the end; None for the processes of this machine.

    Args:
        name: ``"local"``, or that of an executor of one's own: its class is called with ``workers`` if that is given.
        workers: How many candidates to train at a time.
        address: Of a Ray cluster; None for none.
        stall_limit: Seconds without a finished epoch after which a training is given up there; None for the default.

    Raises:
        InputError: if both an executor and a cluster are named.
        PluginError: if it cannot be loaded or made.
        WorkerError: if there is no such cluster.
    """
    if address is not None:
        if name != LOCAL:
            raise InputError(f"--executor {name} and --cluster {address} name different places; give one of them")
        with cluster(address, workers, stall_limit) as found_there:
            yield found_there
        return
    if name == LOCAL:
        yield None
        return
    from tinysearch.runtime.plugins import find, made
    from tinysearch.workers.executor import Executor

    given = {} if workers is None else {"workers": workers}
    found: Executor = made("executor", find("executor", name, [LOCAL]), Executor, **given)
    with found:
        yield found


@contextlib.contextmanager
def cluster(address: str | None, workers: int | None, stall_limit: float | None = None) -> Iterator[Executor | None]:
    """Return the executor of a Ray cluster, and close it in the end; None where no address is given.

    Raises:
        PluginError: if Ray is not installed.
        WorkerError: if there is no such cluster.
    """
    if address is None:
        yield None
        return
    from tinysearch.workers.ray.executor import RayExecutor

    options: dict[str, Any] = {} if stall_limit is None else {"stall_seconds": stall_limit}
    with RayExecutor(address, workers, **options) as found:
        yield found
