"""The main function of a worker process: reads jobs from standard input, writes outcomes to standard output.

``tinysearch.workers.piped`` defines the format of messages. The images are files that jobs refer to.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import queue
import threading
import traceback
from typing import Any, BinaryIO

from tinysearch.errors import CostMismatchError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import Job, Train
from tinysearch.workers.local.arrays import mapped
from tinysearch.workers.piped import end_with_parent, framed, outlive_signals, streams
from tinysearch.workers.sharing import opened


def main() -> None:
    """Run jobs until standard input is closed."""
    outlive_signals()
    end_with_parent()
    incoming, outgoing = streams()
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


def _limit_memory(limit: int | None) -> None:
    if limit is not None:
        import resource

        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (most, most))


def _load(trainer: str, threads: int) -> Train:
    """Return the function named ``module:function``; load Keras first if it is the trainer of tinysearch."""
    module, name = trainer.split(":")
    if module == "tinysearch.training.trainer":
        from tinysearch.runtime.preparation import prepare_to_train

        prepare_to_train(threads, bare=True)
    found: Train = getattr(importlib.import_module(module), name)
    # Garbage collection runs before each training and often while a model is traced; it need not look at the objects
    # that exist by now.
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
