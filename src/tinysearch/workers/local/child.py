"""The inside of a worker process: jobs come in by standard input, what came of them goes out by standard output.

Both ways a message is a line of JSON, which tells how many bytes follow it. The images are files that jobs refer to.
The process ends when its standard input is closed, however its parent ended.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO

from tinysearch.data.dataset import TrainingData
from tinysearch.errors import CostMismatchError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import EpochWatcher, Job, Outcome
from tinysearch.workers.local.arrays import mapped
from tinysearch.workers.local.process import framed
from tinysearch.workers.sharing import opened

Train = Callable[[Job, TrainingData, EpochWatcher], Outcome]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve jobs until standard input is closed."""
    _outlive_signals_but_not_the_parent()
    # What libraries print must not get between the lines of the protocol: it goes to the log.
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    settings = json.loads(incoming.readline())
    _limit_memory(settings["memory_bytes"])
    os.environ["OMP_NUM_THREADS"] = str(settings["threads"])
    train = _load(settings["trainer"], settings["threads"])
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(incoming, jobs), daemon=True).start()

    def send(event: str, payload: bytes | None = None, **values: Any) -> None:
        outgoing.write(framed({"event": event, **values}, payload))
        outgoing.flush()

    def on_epoch(number: int, epoch: Epoch, state: bytes | None = None) -> None:
        send("epoch", state, number=number, epoch=epoch.to_dict())

    send("ready")
    while True:
        job = jobs.get()
        try:
            outcome = train(job, opened(job, mapped), on_epoch)
            send("done", outcome.model, measurement=outcome.measurement.to_dict())
        except CostMismatchError as error:
            send("mismatch", message=str(error))
        except Exception as error:
            traceback.print_exc()
            send("done", measurement=Measurement(failure=_reason(error)).to_dict())


def _outlive_signals_but_not_the_parent() -> None:
    """Leave Ctrl-C and termination to the parent, which decides what becomes of the work under way."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    if sys.platform == "linux":
        # The end of standard input tells that the parent is gone, but a process that is stopped does not read it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _limit_memory(limit: int | None) -> None:
    if limit is not None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _load(trainer: str, threads: int) -> Train:
    """Return the function of the name ``module:function``; for that of tinysearch, Keras is loaded."""
    module, name = trainer.split(":")
    if module == "tinysearch.training.trainer":
        from tinysearch.runtime.preparation import prepare_to_train

        prepare_to_train(threads, bare=True)
    found: Train = getattr(importlib.import_module(module), name)
    # Garbage is collected before each training, and often while it is traced; what is loaded by now is none.
    gc.freeze()
    return found


def _listen(stream: BinaryIO, jobs: queue.SimpleQueue[Job]) -> None:
    for line in stream:
        values = json.loads(line)
        size = values.pop("bytes")
        jobs.put(Job.from_dict(values, None if size is None else stream.read(size)))
    os._exit(0)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
