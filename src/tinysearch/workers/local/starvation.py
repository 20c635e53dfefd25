"""Telling one candidate that is too large for the memory from a machine that is too small for the workers."""

from __future__ import annotations

import re
import signal

from tinysearch.errors import WorkerError
from tinysearch.results.record import Measurement
from tinysearch.runtime.capacity import gigabytes
from tinysearch.runtime.memory import usable_memory, worker_bytes
from tinysearch.workers.local.process import Death

# So many ends in a row are no chance: a training whose process was killed is tried twice, so it is three candidates.
MOST = 6

_FAILURE = re.compile(r"\w*(MemoryError|ResourceExhaustedError)\b")


class Starvation:
    """Counts trainings that ran out of memory, one after another, with none finished between."""

    def __init__(self) -> None:
        self._count = 0

    def died(self, death: Death, images: int, memory_bytes: int | None) -> None:
        """Take note that a process died.

        Args:
            death: How it ended.
            images: Bytes of the images that each worker has.
            memory_bytes: Bytes of memory that it might have; None for no limit.

        Raises:
            WorkerError: if too many have run out of memory.
        """
        if _by_memory(death, memory_bytes):
            self._ran_out(images, memory_bytes)

    def ended(self, measurement: Measurement, images: int, memory_bytes: int | None) -> None:
        """Take note that a training is over.

        Raises:
            WorkerError: if too many have run out of memory.
        """
        if measurement.failure is None:
            self._count = 0
        elif _FAILURE.match(measurement.failure):
            self._ran_out(images, memory_bytes)

    def advice(self, death: Death, images: int, memory_bytes: int | None) -> str:
        """Return what to do about a process that ran out of memory, as the beginning of a message; empty for others."""
        return f"{_why(images, memory_bytes)}. " if _by_memory(death, memory_bytes) else ""

    def _ran_out(self, images: int, memory_bytes: int | None) -> None:
        self._count += 1
        if self._count < MOST:
            return
        raise WorkerError(
            f"{MOST} worker processes in a row ran out of memory, with no finished training in between: "
            f"{_why(images, memory_bytes)}. What was trained is stored, and a new run with `reuse='any'` does not "
            f"train it again"
        )


def _by_memory(death: Death, memory_bytes: int | None) -> bool:
    # Out of the memory that it may have, what is not written in Python aborts.
    codes = ("SIGKILL",) if memory_bytes is None else ("SIGKILL", "SIGABRT", "SIGSEGV")
    return not death.stalled and -death.code in {getattr(signal, name, None) for name in codes}


def _why(images: int, memory_bytes: int | None) -> str:
    needed = gigabytes(worker_bytes(images))
    if memory_bytes is None:
        why = f"a worker takes about {needed}, and {gigabytes(usable_memory())} can be used now"
        remedy = "give fewer workers, free some memory, or limit the memory of each worker"
    else:
        why = f"each may have {gigabytes(memory_bytes)} and takes about {needed}"
        remedy = "give each worker more memory, and fewer workers if the machine has no more"
    return f"{why}; {remedy}"
