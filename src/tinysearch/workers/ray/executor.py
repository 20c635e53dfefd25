"""An executor that trains on a Ray cluster, as the process of a run uses it."""

from __future__ import annotations

import itertools
import queue
import time
import uuid
import weakref
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.errors import CostMismatchError, InputError, WorkerError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.runtime.backend import backend
from tinysearch.runtime.capacity import Capacity
from tinysearch.runtime.environment import Environment
from tinysearch.runtime.versions import version_of
from tinysearch.training.job import Job, Outcome, Resources
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone, JobLost
from tinysearch.workers.local.arrays import SharedArrays
from tinysearch.workers.local.executor import STALL_SECONDS, TRAINER
from tinysearch.workers.piped import Message, Piped
from tinysearch.workers.ray.cluster import AUTO, LOCAL, Share, check_address, check_settings
from tinysearch.workers.ray.host import HostSettings
from tinysearch.workers.ray.waiting import WaitingWatch

# Seconds. A long wait is split into steps, so that Ctrl-C takes effect between them.
_STEP = 1.0
# Maximum seconds to connect to a cluster, and to disconnect.
_CONNECT, _LEAVE = 180.0, 20.0
# Maximum seconds to wait for the first worker, whose environment is needed.
_FIRST = 60.0


class RayExecutor(Executor):
    """Executor that trains on the machines of a Ray cluster, each candidate in a process.

    A separate driver process uses Ray and ends with this executor, because Ray changes signals, threads and
    environment variables of the process that uses it, and ends that process when the head of the cluster is gone.

    Args:
        address: ``"auto"`` for the cluster of which this machine is a node, ``HOST:PORT`` for the head of a cluster, or
            ``"local"`` to start a cluster on this machine, which ends with the executor.
        workers: Number of candidates trained at a time; None for as many as the cluster has room for now. Workers come
            and go with the machines of the cluster.
        cpus: CPUs of the cluster for each training.
        gpus: GPUs for each training, or the share of one.
        slots: Number of trainings that one Ray process runs at a time. More slots save memory, about 60 MB each.
        stall_seconds: Seconds without a finished epoch after which a training is aborted.
        trainer: Training function as ``module:function``, see ``tinysearch.training.trainer.train``.
        processes: Whether each training runs in a process of its own. False runs it in a thread, if it needs no
            isolation.
        runtime_env: Runtime environment that Ray prepares on its nodes, see Ray's documentation.

    Raises:
        PluginError: if Ray is not installed.
        InputError: if an argument is invalid, or if a local cluster lacks the resources of each training.
        WorkerError: if the cluster does not exist or cannot be used.
    """

    def __init__(
        self,
        address: str = AUTO,
        workers: int | None = None,
        *,
        cpus: float = 1.0,
        gpus: float = 0.0,
        slots: int = 1,
        stall_seconds: float = STALL_SECONDS,
        trainer: str = TRAINER,
        processes: bool = True,
        runtime_env: Mapping[str, Any] | None = None,
    ) -> None:
        check_settings(workers, cpus, gpus, slots)
        check_address(address)
        keras = (runtime_env or {}).get("env_vars", {}).get("KERAS_BACKEND") or backend()
        self._address = address
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._handles = itertools.count()
        self._jobs: dict[int, Job] = {}
        self._events: deque[Event] = deque()
        self._arrays = SharedArrays()
        self._capacity = 0
        self._wanted = workers or 0
        self._known: Environment | None = None
        self._known_until: float | None = None
        self._failure: str | None = None
        self._share = Share(cpus, gpus)
        self._waiting = WaitingWatch(address, self._share)
        try:
            self._driver = Piped("tinysearch.workers.ray.driver", self._inbox)
        except OSError as error:
            raise WorkerError(f"the driver process of Ray could not be started: {error}") from None
        # The driver process ends even if the executor is garbage-collected without being closed.
        self._finalizer = weakref.finalize(self, _end, self._driver, self._arrays)
        host = HostSettings(slots, uuid.uuid4().hex[:12], trainer, stall_seconds, processes, gpus, keras)
        self._driver.send(
            {
                "address": address,
                "workers": workers,
                "share": asdict(self._share),
                "host": asdict(host),
                "version": version_of("tinysearch"),
                "runtime_env": None if runtime_env is None else dict(runtime_env),
            }
        )
        self._connect()

    @property
    def capacity(self) -> int:
        """Current number of workers, at least 1."""
        return max(1, self._capacity)

    @property
    def pid(self) -> int:
        """Identifier of the driver process, which uses Ray."""
        return self._driver.pid

    def submit(self, job: Job) -> Handle:
        """Begin a job, or queue it until a worker is free.

        Raises:
            WorkerError: if the connection to the cluster is lost, or after ``close``.
        """
        self._check_alive()
        handle = next(self._handles)
        self._jobs[handle] = job
        self._driver.send({"do": "submit", "handle": handle, "job": job.to_dict()}, job.state)
        return handle

    def wait(self, timeout: float | None = None) -> Event | None:
        """Return the next event.

        Raises:
            CostMismatchError: if Keras and the computed costs disagree.
            WorkerError: if the cluster cannot train any candidate, or the connection to it is lost.
        """
        if self._events:
            return self._events.popleft()
        until = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _STEP if until is None else min(_STEP, max(0.0, until - time.monotonic()))
            try:
                event = self._heard(self._inbox.get(timeout=left))
            except queue.Empty:
                self._check_alive()
                self._waiting.look(bool(self._jobs))
                if until is not None and time.monotonic() >= until:
                    return None
                continue
            if event is not None:
                return event

    def cancel(self, handle: Handle) -> None:
        """End a job; its worker is soon free for another one."""
        self._events = deque(event for event in self._events if event.handle != handle)
        if isinstance(handle, int) and self._jobs.pop(handle, None) is not None and self._failure is None:
            self._driver.send({"do": "cancel", "handle": handle})

    def close(self) -> None:
        """End all trainings and disconnect. A cluster that was started by this executor ends too."""
        self._failure = self._failure or "the connection to the cluster was closed"
        self._jobs.clear()
        self._finalizer()

    def share(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Put an array into the object store of the cluster, from which each node fetches it once.

        Raises:
            WorkerError: if the array cannot be written, for example because the disk is full.
        """
        self._driver.send({"do": "share", "name": name, "path": self._arrays.add(name, array)})
        return name

    def environment(self, resources: Resources) -> Environment:
        """Return the environment of the first worker that is ready. Return an unknown one if that takes too long.

        Raises:
            CostMismatchError: if Keras and the computed costs disagree.
            WorkerError: if the cluster cannot train any candidate, or the connection to it is lost.
        """
        if self._known_until is None:
            self._known_until = time.monotonic() + _FIRST
            self.prepare(1, resources)
        while self._known is None and time.monotonic() < self._known_until:
            self._check_alive()
            with suppress(queue.Empty):
                event = self._heard(self._inbox.get(timeout=_STEP))
                if event is not None:
                    self._events.append(event)
        return replace(self._known or Environment(None, {}, None), threads=str(resources.threads))

    def expected_environment(self, resources: Resources) -> Environment:
        """Return the environment of the first worker that was ready; before that, of this process."""
        return replace(self._known or Environment.here(), threads=str(resources.threads))

    def threads_per_job(self) -> int:
        """Return the number of whole CPUs of each training, at least 1."""
        return max(1, int(self._share.cpus))

    def prepare(self, count: int, resources: Resources) -> None:
        """Start Ray processes on the nodes for ``count`` trainings at a time, as far as the cluster has room."""
        self._driver.send({"do": "prepare", "count": count})

    def note(self, images: int, resources: Resources) -> str | None:
        """Return a note if the cluster lacks room for all workers, or a local one lacks memory; otherwise None."""
        local = self._address == LOCAL
        if self._wanted <= self._capacity:
            return Capacity.here(images, resources.memory_bytes).note(self._wanted) if local else None
        where = "this machine" if local else f"the Ray cluster {self._address}"
        hint = f"each takes {self._share}" if local else "there will be more when machines join"
        return f"{where} has room for {self._capacity} trainings at a time, of {self._wanted} wanted; {hint}"

    def _connect(self) -> None:
        until = time.monotonic() + _CONNECT
        while time.monotonic() < until:
            try:
                message = self._inbox.get(timeout=_STEP)
            except queue.Empty:
                continue
            if message.event == "connected":
                self._wanted, self._capacity = message.values["wanted"], message.values["count"]
                return
            try:
                if message.event == "refused":
                    raise InputError(message.values["message"])
                if message.event is None:
                    raise WorkerError(
                        f"the Ray cluster {self._address} cannot be used: the driver process has ended, its last "
                        f"message was: {self._last_words()}"
                    )
                self._heard(message)
            except (InputError, WorkerError):
                self.close()
                raise
        self.close()
        raise WorkerError(f"the Ray cluster {self._address} could not be reached within {_CONNECT:.0f} seconds")

    def _heard(self, message: Message) -> Event | None:
        values = message.values
        if message.event is None or message.event == "failed":
            self._failure = self._failure or values.get("message") or self._loss()
            raise WorkerError(self._failure)
        if message.event == "capacity":
            self._capacity = values["count"]
            self._waiting.ready(values["ready"])
            if self._known is None and "about" in values:
                self._known = Environment.from_dict(values["about"]["environment"])
            return None
        handle = values["handle"]
        job = self._jobs.get(handle)
        if job is None:
            return None
        if message.event == "epoch":
            return EpochDone(handle, values["number"], Epoch(**values["epoch"]), message.payload)
        del self._jobs[handle]
        if message.event == "mismatch":
            raise CostMismatchError(values["message"])
        if message.event == "lost":
            return JobLost(handle, values["reason"])
        measurement = Measurement.from_dict(values["measurement"])
        environment = Environment.from_dict(values["environment"])
        return JobDone(handle, Outcome(measurement, message.payload, environment))

    def _last_words(self) -> str:
        said = [line.strip() for line in self._driver.tail().splitlines() if line.strip()]
        return said[-1] if said else "nothing"

    def _loss(self) -> str:
        return (
            f"the connection to the Ray cluster {self._address} was lost. Finished trainings are stored; check that "
            f"the cluster runs (`ray status`), and continue with `resume=True`. The last message was: "
            f"{self._last_words()}"
        )

    def _check_alive(self) -> None:
        if self._failure is not None:
            raise WorkerError(self._failure)


def _end(driver: Piped, arrays: SharedArrays) -> None:
    driver.send({"do": "close"})
    driver.end(_LEAVE)
    arrays.close()
