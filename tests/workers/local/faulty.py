"""Trainers for worker processes that fail in every way there is; which way, is told by the width of the network."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from tinysearch.data.dataset import TrainingData
from tinysearch.errors import CostMismatchError
from tinysearch.results.predictions import pack
from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import EpochWatcher, Job, Outcome

FINE, KILLED, EXITS, RAISES, HANGS, STOPS, HUNGRY, KILLED_ONCE, CHATTY, MISMATCH = range(1, 11)


def epoch(score: float) -> Epoch:
    return Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0)


def train(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Do what the width of the first layer says."""
    layer: Any = job.candidate.architecture.layers[0]
    print("about to do", layer.filters, file=sys.stderr, flush=True)
    on_epoch(1, epoch(0.5), b"state" if job.keep_states else None)
    act(layer.filters, job)
    assert data.validation is not None
    mean = float(data.train.pixels.mean()), int(data.train.labels.sum()), len(data.validation)
    curve = (epoch(0.5), epoch(mean[0] / 255))
    predicted = None if data.test is None else pack(data.test[:, 0, 0, 0])
    measurement = Measurement(curve, float(os.getpid()), log=str((*mean, job.state)), predicted=predicted)
    return Outcome(measurement, b"model" if job.keep_model else None)


def starve(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Be killed as by a system that is out of memory, but for the narrowest network."""
    layer: Any = job.candidate.architecture.layers[0]
    if layer.filters != FINE:
        os.kill(os.getpid(), signal.SIGKILL)
    return train(job, data, on_epoch)


def refuse(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Find no memory."""
    raise MemoryError


def tell_gpu(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Tell which GPU the process may use."""
    names = ("CUDA_VISIBLE_DEVICES", "XLA_PYTHON_CLIENT_PREALLOCATE")
    return Outcome(Measurement((epoch(0.5),), log=" ".join(os.environ[name] for name in names)))


def act(width: int, job: Job) -> None:
    if width == KILLED or (width == KILLED_ONCE and job.state is None):
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
