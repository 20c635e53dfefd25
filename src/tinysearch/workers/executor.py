"""The executor: trainings that are under way at the same time, and what they report."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType

from tinysearch.results.record import Epoch, Measurement
from tinysearch.training.job import Job
from tinysearch.workers.worker import Worker

# Seconds. Where a wait without end cannot be interrupted, one after another can.
_SLICE = 1.0

OnEpoch = Callable[[int, int, Epoch], None]


class Executor:
    """Has jobs done by a worker, several at a time; everything is reported in the thread that waits.

    Args:
        worker: Trains; closed at the end, which ends what is under way.
        size: How many jobs at a time.
        on_epoch: Called with the position of a job, and with number and measurements of an epoch it has finished.
    """

    def __init__(self, worker: Worker, size: int, on_epoch: OnEpoch) -> None:
        self._worker = worker
        self._threads = ThreadPoolExecutor(size, thread_name_prefix="executor")
        self._heard: queue.SimpleQueue[tuple[int, Measurement | BaseException | tuple[int, Epoch]]] = (
            queue.SimpleQueue()
        )
        self._finished: dict[int, Measurement] = {}
        self._on_epoch = on_epoch
        self._busy: set[int] = set()

    @property
    def busy(self) -> int:
        """How many jobs were begun and are not heard to be done."""
        return len(self._busy)

    def __enter__(self) -> Executor:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._worker.close()
        self._threads.shutdown(cancel_futures=True)

    def start(self, position: int, job: Job) -> None:
        """Begin a job."""
        self._busy.add(position)
        self._threads.submit(self._do, position, job)

    def wait(self, until: float | None = None) -> tuple[int, Measurement] | None:
        """Wait for the next job that is done.

        Args:
            until: How long, on the clock of ``time.monotonic``; None for as long as it takes.

        Returns:
            Its position and what was measured; None if the time was up before.

        Raises:
            BaseException: what the worker raised.
        """
        while True:
            try:
                left = _SLICE if until is None else until - time.monotonic()
                position, heard = self._heard.get(timeout=min(max(0.0, left), _SLICE))
            except queue.Empty:
                if until is not None and time.monotonic() >= until:
                    return None
                continue
            if isinstance(heard, BaseException):
                raise heard
            if isinstance(heard, Measurement):
                self._busy.discard(position)
                return position, heard
            self._on_epoch(position, *heard)

    def forget(self, position: int) -> None:
        """Take note that what was measured at a position is safe."""
        self._finished.pop(position, None)

    def finished(self) -> dict[int, Measurement]:
        """Return what was measured, by position, and not forgotten since."""
        return dict(sorted(self._finished.items()))

    def _do(self, position: int, job: Job) -> None:
        try:
            measurement = self._worker.train(job, lambda number, epoch: self._heard.put((position, (number, epoch))))
            self._finished[position] = measurement
            self._heard.put((position, measurement))
        except BaseException as error:  # It is raised again where it is waited for.
            self._heard.put((position, error))
