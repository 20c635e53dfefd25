"""The inside of a worker process: jobs come in by standard input, what was measured goes out by standard output.

Both ways it is one JSON object per line; the images follow the first line as bytes. The process ends when its
standard input is closed, however its parent ended.
"""

from __future__ import annotations

import ctypes
import dataclasses
import gc
import importlib
import json
import os
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

import numpy as np

from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.data.splits import Split
from tinysearch.errors import CostMismatchError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.space.task import Task
from tinysearch.training.job import EpochWatcher, Job

Train = Callable[[Job, TrainingData, EpochWatcher], Measurement]

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve jobs until standard input is closed."""
    _outlive_signals_but_not_the_parent()
    # What libraries print must not get between the lines of the protocol: it goes to the log.
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    settings = json.loads(incoming.readline())
    _limit_memory(settings["memory_bytes"])
    os.environ["OMP_NUM_THREADS"] = str(settings["threads"])
    train = _load(settings["trainer"], settings["threads"])
    data = _receive(incoming, settings["data"])
    jobs: queue.SimpleQueue[Job] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(incoming, jobs), daemon=True).start()

    def send(event: str, **values: Any) -> None:
        outgoing.write(json.dumps({"event": event, **values}) + "\n")
        outgoing.flush()

    def on_epoch(number: int, epoch: Epoch) -> None:
        send("epoch", number=number, epoch=dataclasses.asdict(epoch))

    send("ready")
    while True:
        job = jobs.get()
        try:
            send("done", measurement=train(job, data, on_epoch).to_dict())
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


def _receive(stream: BinaryIO, description: Mapping[str, Any]) -> TrainingData:
    def array(shape: list[int], dtype: str) -> np.ndarray:
        count = int(np.prod(shape)) * np.dtype(dtype).itemsize
        return np.frombuffer(stream.read(count), dtype).reshape(shape)

    parts = [
        Images(array(part["pixels"], part["dtype"]), array(part["labels"], "int32")) for part in description["parts"]
    ]
    groups = None if description["groups"] is None else array(description["groups"], "int32")
    shown = description["test"]
    test = None if shown is None else array(shown["pixels"], shown["dtype"])
    task = Task(tuple(description["input_shape"]), description["classes"])
    scale = description["full_scale"]
    if description["split"] is not None:
        split, fold = Split.from_dict(description["split"]), 0 if description["holds_out"] else None
        return TrainingData.of(task, parts[0], scale, split, fold=fold, groups=groups, test=test)
    return TrainingData(task, parts[0], parts[1] if len(parts) > 1 else None, scale, test)


def _listen(stream: BinaryIO, jobs: queue.SimpleQueue[Job]) -> None:
    for line in stream:
        jobs.put(Job.from_dict(json.loads(line)))
    os._exit(0)


def _reason(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
