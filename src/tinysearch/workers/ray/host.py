"""Hosts: Ray processes on the nodes of a cluster that run trainings.

Nothing here depends on Ray: ``connection.TrainingHost`` turns a host into a Ray actor.
"""

from __future__ import annotations

import importlib
import os
import queue
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy.typing as npt

from tinysearch.errors import CostMismatchError, WorkerError
from tinysearch.results.record import Measurement
from tinysearch.runtime.devices import visible_gpus
from tinysearch.runtime.environment import Environment
from tinysearch.training.job import DataReference, Job, Outcome
from tinysearch.workers.executor import EpochDone, Event, Executor, JobDone
from tinysearch.workers.local.arrays import mapped
from tinysearch.workers.local.executor import STALL_SECONDS, TRAINER, LocalExecutor
from tinysearch.workers.ray.images import NodeArrays
from tinysearch.workers.threads import ThreadExecutor

# A report about a job: its kind, the number of the job, plain values, and bytes.
Report = tuple[str, int, dict[str, Any], "bytes | None"]
Fetch = Callable[[], npt.NDArray[Any]]

# Seconds without a request for reports after which a host ends: its driver has ended or cannot be reached.
ABANDONED = 120.0
# Maximum seconds until a cancelled job ends.
_STEP = 0.25
# Maximum number of reports in one answer.
_MOST = 256


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Settings of hosts.

    Args:
        slots: Number of trainings that a host runs at a time.
        key: Identifier of the executor that the hosts belong to.
        trainer: Training function as ``module:function``.
        stall_seconds: Seconds without a finished epoch after which a training is aborted.
        processes: Whether trainings run in processes of their own; otherwise in threads of the host.
        gpus: GPUs for each training, or the share of one; 0 hides all GPUs.
        backend: Backend of Keras; None for the default of the node.
    """

    slots: int = 1
    key: str = "0"
    trainer: str = TRAINER
    stall_seconds: float = STALL_SECONDS
    processes: bool = True
    gpus: float = 0.0
    backend: str | None = None


class Host:
    """Runs several trainings at a time, each by an executor of its own, in the same way as without a cluster.

    Args:
        settings: Plain values of ``HostSettings``.
        node: Identifier of the node.
    """

    def __init__(self, settings: Mapping[str, Any], node: str) -> None:
        self._settings = HostSettings(**settings)
        if not self._settings.gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
        if self._settings.backend is not None:
            os.environ["KERAS_BACKEND"] = self._settings.backend
        self._arrays = NodeArrays(f"{self._settings.key}-{node}")
        self._fetches: dict[str, Fetch] = {}
        self._known = threading.Condition()
        self._jobs: queue.SimpleQueue[tuple[int, Job] | None] = queue.SimpleQueue()
        self._reports: queue.SimpleQueue[Report] = queue.SimpleQueue()
        self._cancelled: set[int] = set()
        self._watchdog = threading.Timer(ABANDONED, self.end)
        self._ended = False
        # A training process ends with the thread that started it, so these threads must live as long as the host.
        self._slots = [
            threading.Thread(target=self._serve, args=(slot,), daemon=True) for slot in range(self._settings.slots)
        ]
        for slot in self._slots:
            slot.start()
        self._rest()

    def about(self) -> dict[str, Any]:
        """Return the machine and environment of this host as plain values."""
        return {"machine": socket.gethostname(), "environment": Environment.here().to_dict()}

    def share(self, name: str, fetch: Fetch) -> None:
        """Register the function that returns an array."""
        with self._known:
            self._fetches[name] = fetch
            self._known.notify_all()

    def begin(self, number: int, job: Mapping[str, Any], state: bytes | None) -> None:
        """Begin a job, given as plain values of a ``Job``."""
        try:
            self._jobs.put((number, Job.from_dict(job, state)))
        except Exception as error:
            # Nothing reads the result of this call, so report the error.
            reason = f"{socket.gethostname()} cannot read the job: {type(error).__name__}: {error}"
            self._reports.put(("lost", number, {"reason": reason}, None))

    def cancel(self, number: int) -> None:
        """End a job, whether or not it has begun."""
        self._cancelled.add(number)

    def take(self, seconds: float) -> list[Report]:
        """Return the reports since the last call. Wait up to ``seconds`` for the first; return [] if none comes."""
        self._watchdog.cancel()
        try:
            found = [self._reports.get(timeout=seconds)]
            while len(found) < _MOST and not self._reports.empty():
                found.append(self._reports.get())
        except queue.Empty:
            found = []
        self._rest()
        return found

    def close(self) -> None:
        """End all trainings and free all resources."""
        self._ended = True
        self._watchdog.cancel()
        for _ in self._slots:
            self._jobs.put(None)
        for slot in self._slots:
            slot.join()
        self._arrays.close()

    def end(self) -> None:
        """End this process. The processes of its trainings end with it."""
        self._arrays.close()
        os._exit(0)

    def _rest(self) -> None:
        """Start the timer that ends this process unless reports are requested in time."""
        if not self._ended:
            self._watchdog = threading.Timer(ABANDONED, self.end)
            self._watchdog.daemon = True
            self._watchdog.start()

    def _serve(self, slot: int) -> None:
        with self._executor(slot) as executor:
            while (given := self._jobs.get()) is not None:
                number, job = given
                try:
                    self._do(executor, number, job)
                except CostMismatchError as error:
                    self._reports.put(("mismatch", number, {"message": str(error)}, None))
                except WorkerError as error:
                    self._reports.put(("broken", number, {"message": f"{socket.gethostname()}: {error}"}, None))
                except Exception as error:
                    self._report_done(number, job, Outcome(Measurement(failure=f"{type(error).__name__}: {error}")))

    def _executor(self, slot: int) -> Executor:
        settings = self._settings
        if settings.processes:
            return LocalExecutor(
                1,
                trainer=settings.trainer,
                stall_seconds=settings.stall_seconds,
                gpus=gpus_of(slot, settings.gpus, visible_gpus()),
                gpu_share=min(1.0, settings.gpus) or 1.0,
            )
        module, name = settings.trainer.split(":")
        return ThreadExecutor(getattr(importlib.import_module(module), name))

    def _do(self, executor: Executor, number: int, job: Job) -> None:
        if self._unwanted(number):
            return
        data = self._found(executor, number, job.data)
        if data is None:
            return
        handle = executor.submit(replace(job, data=data))
        while True:
            event = executor.wait(_STEP)
            if self._unwanted(number):
                executor.cancel(handle)
                return
            if event is not None and event.handle == handle and self._told(number, job, event):
                return

    def _unwanted(self, number: int) -> bool:
        return self._ended or number in self._cancelled

    def _told(self, number: int, job: Job, event: Event) -> bool:
        """Report an event of a job; return whether it is the last event of the job."""
        if isinstance(event, EpochDone):
            values = {"number": event.number, "epoch": event.epoch.to_dict()}
            self._reports.put(("epoch", number, values, event.state))
            return False
        if isinstance(event, JobDone):
            self._report_done(number, job, event.outcome)
        else:
            self._reports.put(("lost", number, {"reason": event.reason}, None))
        return True

    def _report_done(self, number: int, job: Job, outcome: Outcome) -> None:
        where = outcome.environment or Environment.here(job.resources.threads)
        values = {"measurement": outcome.measurement.to_dict(), "environment": where.to_dict()}
        self._reports.put(("done", number, values, outcome.model))

    def _found(self, executor: Executor, number: int, data: DataReference) -> DataReference | None:
        """Return a reference to the files of this node; None if the job has been cancelled."""
        names = [name for name in (data.pixels, data.labels, data.test, data.groups) if name is not None]
        with self._known:
            while not self._known.wait_for(lambda: self._fetches.keys() >= set(names), _STEP):
                if self._unwanted(number):
                    return None

        def here(name: str) -> str:
            try:
                return executor.share(name, mapped(self._arrays.path(name, self._fetches[name])))
            except WorkerError:
                raise
            except Exception as error:
                raise WorkerError(f"the images cannot be loaded: {type(error).__name__}: {error}") from error

        return replace(
            data,
            pixels=here(data.pixels),
            labels=here(data.labels),
            test=None if data.test is None else here(data.test),
            groups=None if data.groups is None else here(data.groups),
        )


def gpus_of(slot: int, gpus: float, visible: Sequence[str]) -> tuple[str, ...]:
    """Return the GPUs of a slot of a host: one or more of its own, or one that it shares.

    Args:
        slot: Index of the slot, from 0.
        gpus: GPUs for each slot, or the share of one.
        visible: GPUs of the host, named as in ``CUDA_VISIBLE_DEVICES``.

    >>> [gpus_of(slot, 0.5, ["4", "6"]) for slot in range(4)]
    [('4',), ('4',), ('6',), ('6',)]
    >>> gpus_of(1, 2, ["0", "1", "2", "3"]), gpus_of(0, 0, ["0"])
    (('2,3',), ())
    """
    first = int(slot * gpus + 1e-6)
    own = visible[first : first + max(1, int(gpus))] if gpus else ()
    return (",".join(own),) if own else ()
