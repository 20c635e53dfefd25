"""The driver process, which connects the process of a run to a Ray cluster.

Ray changes the process that uses it (signals, threads, environment variables, exit handlers), and it ends that process
if the head of the cluster is unreachable for a minute. Therefore this separate process uses Ray, and does nothing else.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from typing import Any, BinaryIO

from tinysearch.errors import InputError, WorkerError
from tinysearch.workers.piped import framed, outlive_signals, streams
from tinysearch.workers.ray.cluster import LOCAL, Share
from tinysearch.workers.ray.connection import Answer, RayCluster, plainly
from tinysearch.workers.ray.host import HostSettings
from tinysearch.workers.ray.pool import Pool

# Seconds to disconnect from the cluster, after which this process ends regardless of Ray.
_PATIENCE = 30.0
# Seconds. A wait is split into steps, to look for silent hosts between them.
_STEP = 5.0

Command = tuple[dict[str, Any], "bytes | None"]


def main() -> None:
    """Connect to a cluster, and run the commands on standard input until the command to close."""
    outlive_signals()
    incoming, outgoing = streams()

    def tell(event: str, payload: bytes | None = None, **values: Any) -> None:
        outgoing.write(framed({"event": event, **values}, payload))
        outgoing.flush()

    inbox: queue.SimpleQueue[Answer | Command] = queue.SimpleQueue()
    settings = json.loads(incoming.readline())
    if settings["address"] == LOCAL:
        # Child processes import from the same path. Ray sends no usage statistics unless the user enables them.
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        cluster = _connected(settings, inbox)
        # Ray has installed handlers for some of these signals.
        outlive_signals()
        room = cluster.room()
        workers = settings["workers"] or max(1, room)
        tell("connected", count=min(workers, room), wanted=workers)
        threading.Thread(target=_listen, args=(incoming, inbox), daemon=True).start()
        _serve(cluster, Pool(cluster, workers, settings["host"]["slots"], room, settings["version"], tell), inbox)
    except InputError as error:
        tell("refused", message=str(error))
    except WorkerError as error:
        tell("failed", message=str(error))
    except Exception as error:
        traceback.print_exc()
        tell("failed", message=f"the Ray cluster cannot be used: {type(error).__name__}: {plainly(str(error))}")
    # Skip the exit handlers of Ray, which may take arbitrarily long.
    sys.stderr.flush()
    os._exit(0)


def _connected(settings: dict[str, Any], inbox: queue.SimpleQueue[Any]) -> RayCluster:
    return RayCluster(
        settings["address"],
        Share(**settings["share"]),
        HostSettings(**settings["host"]),
        inbox,
        workers=settings["workers"],
        runtime_env=settings["runtime_env"],
    )


def _serve(cluster: RayCluster, pool: Pool, inbox: queue.SimpleQueue[Answer | Command]) -> None:
    looked = time.monotonic()
    try:
        while True:
            heard = _next(inbox)
            # Time in which this process was suspended does not count as silence of hosts.
            now = time.monotonic()
            passed, looked = min(now - looked, 2 * _STEP), now
            pool.passed(passed)
            if heard is None:
                continue
            if isinstance(heard, Answer):
                said = cluster.heard(heard)
                if said is not None:
                    pool.heard(said)
                continue
            values, payload = heard
            if values["do"] == "close":
                return
            if values["do"] == "prepare":
                pool.prepare(values["count"])
            elif values["do"] == "share":
                pool.share(values["name"], values["path"])
            elif values["do"] == "submit":
                pool.submit(values["handle"], values["job"], payload)
            elif values["do"] == "cancel":
                pool.cancel(values["handle"])
    finally:
        cluster.close()


def _next(inbox: queue.SimpleQueue[Answer | Command]) -> Answer | Command | None:
    try:
        return inbox.get(timeout=_STEP)
    except queue.Empty:
        return None


def _listen(stream: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    for line in stream:
        values = json.loads(line)
        size = values.pop("bytes")
        inbox.put((values, None if size is None else stream.read(size)))
    # The process of the run has ended. Its jobs on the cluster end with this process.
    inbox.put(({"do": "close"}, None))
    time.sleep(_PATIENCE)
    os._exit(1)
