"""Executors, as the options of the command line name them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from tinysearch.errors import InputError

LOCAL = "local"


@contextlib.contextmanager
def executor(
    name: str, workers: int | None, address: str | None = None, stall_limit: float | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the arguments of ``Study.run`` for an executor, which is closed at the end, or for local processes.

    Args:
        name: ``"local"``, or the name of a user's executor: its class is called with ``workers`` if that is given.
        workers: Number of candidates to train at a time.
        address: Address of a Ray cluster; None for none.
        stall_limit: Seconds without a finished epoch after which a training is aborted; None for the default.

    Raises:
        InputError: if both an executor and a cluster are named, or a stall limit is combined with a user's executor.
        PluginError: if the executor cannot be loaded or created.
        WorkerError: if the cluster does not exist.
    """
    if address is not None:
        if name != LOCAL:
            raise InputError(f"--executor {name} and --cluster {address} name different places; give one of them")
        with cluster(address, workers, stall_limit) as found_there:
            yield found_there
        return
    if name == LOCAL:
        yield {"workers": workers, "stall_limit": stall_limit}
        return
    if stall_limit is not None:
        raise InputError(
            f"--stall-limit is not passed to --executor {name}, which itself decides when to abort a training; leave "
            f"--stall-limit out"
        )
    from tinysearch.runtime.plugins import find, made
    from tinysearch.workers.executor import Executor

    given = {} if workers is None else {"workers": workers}
    found: Executor = made("executor", find("executor", name, [LOCAL]), Executor, **given)
    with found:
        yield {"executor": found}


@contextlib.contextmanager
def cluster(address: str | None, workers: int | None, stall_limit: float | None = None) -> Iterator[dict[str, Any]]:
    """Yield the arguments for a Ray cluster, which is left at the end, or for local processes without an address.

    Raises:
        PluginError: if Ray is not installed.
        WorkerError: if the cluster does not exist.
    """
    if address is None:
        yield {"workers": workers}
        return
    from tinysearch.workers.ray.executor import RayExecutor

    options: dict[str, Any] = {} if stall_limit is None else {"stall_seconds": stall_limit}
    with RayExecutor(address, workers, **options) as found:
        yield {"executor": found}
