"""Trainers for worker processes that fail in every way there is; which way, is told by the width of the network."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from tinysearch.data.dataset import TrainingData
from tinysearch.errors import CostMismatchError
from tinysearch.results.predictions import pack
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import EpochWatcher, Job

FINE, KILLED, EXITS, RAISES, HANGS, STOPS, HUNGRY, KILLED_ONCE, CHATTY, MISMATCH = range(1, 11)


def epoch(score: float) -> Epoch:
    return Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0)


def train(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Measurement:
    """Do what the width of the first layer says."""
    layer: Any = job.candidate.architecture.layers[0]
    print("about to do", layer.filters, file=sys.stderr, flush=True)
    on_epoch(1, epoch(0.5))
    act(layer.filters, job)
    assert data.validation is not None
    mean = float(data.train.pixels.mean()), int(data.train.labels.sum()), len(data.validation)
    curve = (epoch(0.5), epoch(mean[0] / 255))
    predicted = None if data.test is None else pack(data.test[:, 0, 0, 0])
    return Measurement(curve, float(os.getpid()), log=str(mean), predicted=predicted)


def starve(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Measurement:
    """Be killed as by a system that is out of memory, but for the narrowest network."""
    layer: Any = job.candidate.architecture.layers[0]
    if layer.filters != FINE:
        os.kill(os.getpid(), signal.SIGKILL)
    return train(job, data, on_epoch)


def refuse(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Measurement:
    """Find no memory."""
    raise MemoryError


def act(width: int, job: Job) -> None:
    if width == KILLED or (width == KILLED_ONCE and first_time(job)):
        os.kill(os.getpid(), signal.SIGKILL)
    elif width == EXITS:
        os._exit(3)
    elif width == RAISES:
        raise ValueError("cannot be built\nmore about it")
    elif width == HANGS:
        threading.Event().wait()
    elif width == STOPS:
        os.kill(os.getpid(), signal.SIGSTOP)
    elif width == HUNGRY:
        # Zeros that nobody looks at count as memory, but take no time.
        hoard = [bytes(50_000_000)]
        while True:
            hoard.append(bytes(50_000_000))
    elif width == MISMATCH:
        raise CostMismatchError("counted wrongly")
    elif width == CHATTY:
        print('{"event": "done"}')
        print("x" * 100_000)
        os.write(1, b"not a message\n")


def first_time(job: Job) -> bool:
    """Whether the job was not tried before: a file beside the model tells."""
    assert job.model_path is not None
    mark = Path(f"{job.model_path}.tried")
    if mark.exists():
        return False
    mark.touch()
    return True
