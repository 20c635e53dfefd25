"""An executor that runs jobs in threads of this process."""

from __future__ import annotations

import queue
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.errors import WorkerError
from tinysearch.results.record import Epoch
from tinysearch.training.job import Job, Train
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone
from tinysearch.workers.sharing import opened


class ThreadExecutor(Executor):
    """Executor that runs jobs in threads of this process, for tests and for jobs that need no isolation.

    Args:
        train: Function that runs a job with its images and calls the watcher after each epoch. ``wait`` raises the
            exceptions that it raises.
        workers: Number of jobs at a time.
    """

    def __init__(self, train: Train, workers: int = 1) -> None:
        self._train = train
        self._workers = workers
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._events: queue.SimpleQueue[Event | BaseException] = queue.SimpleQueue()
        self._cancelled: set[Handle] = set()
        self._count = 0
        self._closed = False

    @property
    def capacity(self) -> int:
        """Number of workers."""
        return self._workers

    def submit(self, job: Job) -> Handle:
        """Begin a job in a thread of its own.

        Raises:
            WorkerError: after ``close``.
        """
        if self._closed:
            raise WorkerError("the executor is closed")
        handle, self._count = self._count, self._count + 1
        threading.Thread(target=self._do, args=(handle, job), daemon=True).start()
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event.

        Raises:
            BaseException: any exception that a job has raised.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                left = 1.0 if until is None else max(0.0, until - time.monotonic())
                event = self._events.get(timeout=min(left, 1.0))
            except queue.Empty:
                if until is not None and time.monotonic() >= until:
                    return None
                continue
            if isinstance(event, BaseException):
                raise event
            if event.handle not in self._cancelled:
                return event

    def cancel(self, handle: Handle) -> None:
        """Ignore further events of a job; its thread keeps running."""
        self._cancelled.add(handle)

    def close(self) -> None:
        """Accept no more jobs."""
        self._closed = True

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Keep an array; return its name."""
        self._arrays.setdefault(name, array)
        return name

    def _do(self, handle: int, job: Job) -> None:
        def on_epoch(number: int, epoch: Epoch, state: bytes | None = None) -> None:
            self._events.put(EpochDone(handle, number, epoch, state if job.keep_states else None))

        try:
            data = opened(job, self._arrays.__getitem__)
            self._events.put(JobDone(handle, self._train(job, data, on_epoch)))
        except BaseException as error:
            self._events.put(error)
