"""Where to train, as it is named on the command line."""

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
    """Return the arguments of ``Study.run`` for an executor, which is closed in the end, or processes of this machine.

    Args:
        name: ``"local"``, or that of an executor of one's own: its class is called with ``workers`` if that is given.
        workers: How many candidates to train at a time.
        address: Of a Ray cluster; None for none.
        stall_limit: Seconds without a finished epoch after which a training is given up; None for the default.

    Raises:
        InputError: if both an executor and a cluster are named, or a limit that an executor does not hear of.
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
        yield {"workers": workers, "stall_limit": stall_limit}
        return
    if stall_limit is not None:
        raise InputError(
            f"--stall-limit is not passed on to --executor {name}, which itself decides when a training is given up; "
            f"leave it out"
        )
    from tinysearch.runtime.plugins import find, made
    from tinysearch.workers.executor import Executor

    given = {} if workers is None else {"workers": workers}
    found: Executor = made("executor", find("executor", name, [LOCAL]), Executor, **given)
    with found:
        yield {"executor": found}


@contextlib.contextmanager
def cluster(address: str | None, workers: int | None, stall_limit: float | None = None) -> Iterator[dict[str, Any]]:
    """Return the arguments for a Ray cluster, which is left in the end, or processes where no address is given.

    Raises:
        PluginError: if Ray is not installed.
        WorkerError: if there is no such cluster.
    """
    if address is None:
        yield {"workers": workers}
        return
    from tinysearch.workers.ray.executor import RayExecutor

    options: dict[str, Any] = {} if stall_limit is None else {"stall_seconds": stall_limit}
    with RayExecutor(address, workers, **options) as found:
        yield {"executor": found}
