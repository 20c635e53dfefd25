"""Training in processes of their own, so that whatever happens to one costs one training."""

from __future__ import annotations

import contextlib
import threading
import time

from tinysearch.data.dataset import TrainingData
from tinysearch.errors import WorkerError
from tinysearch.results.record import Measurement
from tinysearch.runtime.capacity import Capacity
from tinysearch.runtime.environment import Environment
from tinysearch.training.job import EpochWatcher, Job
from tinysearch.workers.local.process import DiedError, Process, described
from tinysearch.workers.local.starvation import Starvation
from tinysearch.workers.worker import Worker

TRAINER = "tinysearch.training.trainer:train"


class WorkerProcesses(Worker):
    """Processes that train one candidate at a time each.

    A process that dies, or finishes no epoch for long, costs the training at hand: one that died is tried once more
    in another process, for it may have been the machine; then it is a failure with its reason and the end of the
    process's log. Processes are replaced after some trainings, so that their memory stays flat.

    Args:
        data: What the candidates see; each process gets a copy.
        threads: Threads of each process.
        memory_bytes: How much memory a process may have (on Linux); None for no limit.
        stall_seconds: After how long without a finished epoch a training is given up.
        trainings: After how many trainings a process is replaced.
        trainer: What trains, as ``module:function``.
    """

    def __init__(
        self,
        data: TrainingData,
        *,
        threads: int = 1,
        memory_bytes: int | None = None,
        stall_seconds: float,
        trainings: int = 10,
        trainer: str = TRAINER,
    ) -> None:
        self._data = data
        self._threads = threads
        self._memory_bytes = memory_bytes
        self._settings = {"threads": threads, "memory_bytes": memory_bytes, "trainer": trainer}
        self._stall_seconds = stall_seconds
        self._trainings = trainings
        self._lock = threading.Lock()
        self._idle: list[Process] = []
        self._all: set[Process] = set()
        self._closed = False
        self._starvation = Starvation(data.nbytes, memory_bytes)

    def prepare(self, count: int) -> None:
        """Start ``count`` processes, which load TensorFlow until the first jobs come."""
        started = [self._spawn() for _ in range(count)]
        with self._lock:
            self._idle.extend(started)

    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        """Train one candidate in one of the processes.

        Raises:
            CostMismatchError: if Keras and the arithmetic disagree.
            WorkerError: if no process can be started, if one after another runs out of memory, or after ``close``.
        """
        deaths = failed_starts = 0
        while True:
            process, ahead = self._take()
            try:
                measurement = process.train(job, self._data, self._stall_seconds, on_epoch)
            except DiedError as death:
                self._discard(process)
                if self._closed:
                    raise WorkerError("the worker processes were stopped") from None
                self._starvation.died(death)
                if death.unready:
                    # Those started ahead may all have died at once, before anyone wanted them.
                    failed_starts += not ahead
                    if failed_starts == 2:
                        advice = self._starvation.advice(death)
                        raise WorkerError(f"a worker process could not be started: {advice}{death.report}") from None
                elif death.stalled:
                    return Measurement(failure=death.reason, log=death.log, train_seconds=death.seconds)
                else:
                    deaths += 1
                    if deaths == 2:
                        failure = f"{death.reason}, twice"
                        return Measurement(failure=failure, log=death.log, train_seconds=death.seconds)
            except BaseException:
                self._discard(process)
                raise
            else:
                self._give_back(process, spent=measurement.failure is not None)
                self._starvation.ended(measurement)
                return measurement

    def note(self, count: int) -> str | None:
        """Return what the memory of this machine means for ``count`` processes; None if there is enough."""
        return Capacity.here(self._data.nbytes, self._memory_bytes).note(count)

    def environment(self) -> Environment:
        """Return where trainings run: here, with the threads of a process."""
        return Environment.here(self._threads)

    def close(self) -> None:
        """End all processes, and return when none is left; threads that wait for one learn it from that."""
        with self._lock:
            self._closed = True
            self._idle.clear()
            processes, self._all = self._all, set()
            for process in processes:
                process.kill()
        for process in processes:
            process.end()

    def pids(self) -> list[int]:
        """Return the process identifiers of those that are alive."""
        with self._lock:
            return sorted(process.pid for process in self._all if not process.over)

    def _spawn(self) -> Process:
        with self._lock:
            if self._closed:
                raise WorkerError("the worker processes were stopped")
            process = self._started()
            self._all.add(process)
            return process

    def _started(self) -> Process:
        settings = {**self._settings, "data": described(self._data)}
        # A machine may be short of something for a moment.
        for pause in (0.2, 1.0):
            with contextlib.suppress(OSError):
                return Process(settings)
            time.sleep(pause)
        try:
            return Process(settings)
        except OSError as error:
            raise WorkerError(f"a worker process could not be started: {error}") from None

    def _take(self) -> tuple[Process, bool]:
        """Return a process to use, and whether it was started before."""
        while True:
            with self._lock:
                process = self._idle.pop() if self._idle else None
            if process is None:
                return self._spawn(), False
            if not process.over:
                return process, True
            self._discard(process)

    def _give_back(self, process: Process, *, spent: bool) -> None:
        spent = spent or process.stalled or process.trainings >= self._trainings
        with self._lock:
            kept = not (spent or self._closed)
            if kept:
                self._idle.append(process)
        if not kept:
            self._discard(process)

    def _discard(self, process: Process) -> None:
        process.end()
        with self._lock:
            self._all.discard(process)
