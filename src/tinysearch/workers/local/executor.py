"""An executor that trains in local processes, so that a crash costs only one training."""

from __future__ import annotations

import itertools
import queue
import time
import weakref
from collections import deque
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tinysearch.errors import CostMismatchError, InputError, WorkerError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.runtime.capacity import Capacity
from tinysearch.runtime.cores import threads_of_each
from tinysearch.runtime.devices import share_of, visible_gpus
from tinysearch.space.scalars import integer
from tinysearch.training.job import Job, Outcome, Resources
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone
from tinysearch.workers.local.arrays import SharedArrays
from tinysearch.workers.local.process import Death, Process
from tinysearch.workers.local.stalls import STEP, StallWatch
from tinysearch.workers.local.starvation import Starvation
from tinysearch.workers.piped import Message

TRAINER = "tinysearch.training.trainer:train"
STALL_SECONDS = 1_800.0


@dataclass
class _Task:
    """A job, the process that runs it, and the number of times that a process died or could not start."""

    job: Job
    process: Process | None = None
    deaths: int = 0
    failed_starts: int = 0


class LocalExecutor(Executor):
    """Executor with local processes that train one candidate at a time each. They live as long as the executor.

    If a process dies, its training is repeated once in another process from its last finished epoch, because the
    cause may have been the machine. If that dies too, or if a training finishes no epoch for too long, the training
    fails with the reason and the end of the process's log. Processes are replaced after some trainings, so that their
    memory does not grow. GPUs are assigned to the processes in turn.

    Args:
        workers: Number of candidates trained at a time.
        stall_seconds: Seconds without a finished epoch after which a training is aborted.
        trainings: Number of trainings after which a process is replaced.
        trainer: Training function as ``module:function``, see ``tinysearch.training.trainer.train``.
        gpus: GPUs to use, named as in ``CUDA_VISIBLE_DEVICES``; None for all that are usable.
        gpu_share: Share of the memory of each GPU that the processes may use, from 0 to 1.
    """

    def __init__(
        self,
        workers: int = 1,
        *,
        stall_seconds: float = STALL_SECONDS,
        trainings: int = 10,
        trainer: str = TRAINER,
        gpus: tuple[str, ...] | None = None,
        gpu_share: float = 1.0,
    ) -> None:
        if (integer(workers) or 0) < 1:
            raise InputError(f"at least 1 worker is needed, got {workers!r}")
        self._workers = workers
        self._trainings = trainings
        self._trainer = trainer
        self._gpus = visible_gpus() if gpus is None else list(gpus)
        self._gpu_share = gpu_share
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._handles = itertools.count()
        self._tasks: dict[int, _Task] = {}
        self._waiting: deque[int] = deque()
        self._ended: deque[Event] = deque()
        self._processes: dict[Process, int | None] = {}
        self._arrays = SharedArrays()
        self._images = 0
        self._starvation = Starvation()
        self._stalls = StallWatch(stall_seconds)
        self._closed = False
        # The processes end even if the executor is garbage-collected without being closed.
        self._finalizer = weakref.finalize(self, _end, self._processes, self._arrays)

    @property
    def capacity(self) -> int:
        """Number of workers."""
        return self._workers

    def submit(self, job: Job) -> Handle:
        """Begin a job, or queue it until a process is free.

        Raises:
            WorkerError: if no process can be started, or after ``close``.
        """
        if self._closed:
            raise WorkerError("the worker processes were stopped")
        handle = next(self._handles)
        self._tasks[handle] = _Task(job)
        self._waiting.append(handle)
        self._begin_waiting()
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event.

        Raises:
            CostMismatchError: if Keras and the computed costs disagree.
            WorkerError: if no process can be started, or one after another runs out of memory.
        """
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            if self._ended:
                return self._ended.popleft()
            left = STEP if until is None else until - time.monotonic()
            try:
                event = self._heard(self._inbox.get(timeout=min(max(0.0, left), STEP)))
            except queue.Empty:
                event = None
                if until is not None and time.monotonic() >= until:
                    self._stalls.look(self._processes)
                    return None
            self._stalls.look(self._processes)
            if event is not None:
                return event

    def cancel(self, handle: Handle) -> None:
        """End a job and the process that runs it."""
        if not isinstance(handle, int) or handle not in self._tasks:
            return
        task = self._tasks.pop(handle)
        if task.process is not None:
            self._discard(task.process)
        if handle in self._waiting:
            self._waiting.remove(handle)

    def close(self) -> None:
        """End all processes, and wait until they have ended."""
        self._closed = True
        self._tasks.clear()
        self._waiting.clear()
        _end(self._processes, self._arrays)

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Write an array to a file that all processes map into their memory.

        Raises:
            WorkerError: if the array cannot be written, for example because the disk is full.
        """
        self._images = max(self._images, array.nbytes)
        return self._arrays.add(name, array)

    def threads_per_job(self) -> int:
        """Return an equal share of the usable cores of this machine."""
        return threads_of_each(self._workers)

    def prepare(self, count: int, resources: Resources) -> None:
        """Start processes until there are ``count``: they load the backend before the first jobs come."""
        for _ in range(min(count, self._workers) - len(self._processes)):
            self._processes[self._started(resources)] = None

    def note(self, images: int, resources: Resources) -> str | None:
        """Return a note if this machine has too little memory for the processes; None if it has enough."""
        return Capacity.here(images, resources.memory_bytes).note(self._workers)

    def pids(self) -> list[int]:
        """Return the identifiers of the processes that are alive."""
        return sorted(process.pid for process in self._processes if not process.over)

    def _begin_waiting(self) -> None:
        busy = sum(handle is not None for handle in self._processes.values())
        while self._waiting and busy < self._workers:
            handle = self._waiting.popleft()
            task = self._tasks[handle]
            task.process = self._idle(task.job.resources)
            self._processes[task.process] = handle
            task.process.silence = 0.0
            busy += 1
            if task.process.ready:
                task.process.begin(task.job)

    def _idle(self, resources: Resources) -> Process:
        """Return an idle process, or a new one."""
        for process in [one for one, handle in self._processes.items() if handle is None]:
            if process.resources == resources and not process.over:
                return process
            if process.over or len(self._processes) >= self._workers:
                self._discard(process)
        return self._started(resources)

    def _started(self, resources: Resources) -> Process:
        taken = {process.slot for process in self._processes}
        slot = next(number for number in itertools.count() if number not in taken)
        environment = share_of(slot, self._gpus, self._workers, self._gpu_share)
        # The machine may lack resources for a moment.
        for pause in (0.2, 1.0, None):
            try:
                return Process(self._trainer, resources, self._inbox, environment, slot)
            except OSError as error:
                if pause is None:
                    raise WorkerError(f"a worker process could not be started: {error}") from None
                time.sleep(pause)
        raise AssertionError

    def _heard(self, message: Message) -> Event | None:
        """Handle a message of a process; return the event that follows from it, if any."""
        process = message.process
        if process not in self._processes:
            return None
        handle = self._processes[process]
        task = None if handle is None else self._tasks[handle]
        process.silence = 0.0
        if message.event is None:
            return self._died(process, handle, task)
        if message.event == "ready":
            process.ready = True
            if task is not None:
                process.begin(task.job)
            return None
        if task is None or handle is None:
            return None
        if message.event == "mismatch":
            self._end_task(handle, process, spent=True)
            raise CostMismatchError(message.values["message"])
        if message.event == "epoch":
            if message.payload is not None:
                # A training that is repeated resumes from here.
                task.job = replace(task.job, state=message.payload)
            epoch = Epoch(**message.values["epoch"])
            return EpochDone(handle, message.values["number"], epoch, message.payload)
        measurement = Measurement.from_dict(message.values["measurement"])
        if measurement.failure:
            measurement = replace(measurement, log=process.tail())
        self._end_task(handle, process, spent=measurement.failure is not None)
        done = JobDone(handle, Outcome(measurement, message.payload, self.environment(task.job.resources)))
        try:
            self._starvation.ended(measurement, self._images, task.job.resources.memory_bytes)
            self._begin_waiting()
        except WorkerError:
            self._ended.append(done)
            raise
        return done

    def _died(self, process: Process, handle: int | None, task: _Task | None) -> Event | None:
        death = process.death()
        self._discard(process)
        if task is None or handle is None:
            return None
        task.process = None
        memory = task.job.resources.memory_bytes
        ended = self._after_death(death, task, memory)
        if ended is None:
            self._waiting.appendleft(handle)
            self._begin_waiting()
            return None
        del self._tasks[handle]
        self._begin_waiting()
        return JobDone(handle, Outcome(ended, None, self.environment(task.job.resources)))

    def _after_death(self, death: Death, task: _Task, memory: int | None) -> Measurement | None:
        """Return the failure of a training whose process died; None if it is to be repeated."""
        self._starvation.died(death, self._images, memory)
        if death.unready:
            task.failed_starts += 1
            if task.failed_starts == 2:
                advice = self._starvation.advice(death, self._images, memory)
                raise WorkerError(f"a worker process could not be started: {advice}{death.report}")
            return None
        if death.stalled:
            return Measurement(failure=death.reason, log=death.log, train_seconds=death.seconds)
        task.deaths += 1
        if task.deaths < 2:
            return None
        return Measurement(failure=f"{death.reason}, twice", log=death.log, train_seconds=death.seconds)

    def _end_task(self, handle: int, process: Process, *, spent: bool) -> None:
        del self._tasks[handle]
        self._processes[process] = None
        if spent or process.stalled or process.trainings >= self._trainings:
            self._discard(process)

    def _discard(self, process: Process) -> None:
        self._processes.pop(process, None)
        process.end()


def _end(processes: dict[Process, int | None], arrays: SharedArrays) -> None:
    ended = list(processes)
    processes.clear()
    for process in ended:
        process.kill()
    for process in ended:
        process.end()
    arrays.close()
