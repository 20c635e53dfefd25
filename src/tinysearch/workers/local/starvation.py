"""Distinguishes a candidate that is too large for the memory from a machine that is too small for the workers."""

from __future__ import annotations

import re
import signal

from tinysearch.errors import WorkerError
from tinysearch.results.record import Measurement
from tinysearch.runtime.capacity import gigabytes
from tinysearch.runtime.memory import usable_memory, worker_bytes
from tinysearch.workers.local.process import Death

# Number of memory failures in a row that cannot be chance. It means three candidates if processes are killed, because a
# training whose process was killed is tried twice.
MOST = 6

_FAILURE = re.compile(r"\w*(MemoryError|ResourceExhaustedError)\b")


class Starvation:
    """Counter of trainings in a row that ran out of memory, with no finished training in between."""

    def __init__(self) -> None:
        self._count = 0

    def died(self, death: Death, images: int, memory_bytes: int | None) -> None:
        """Record the death of a process.

        Args:
            death: How the process ended.
            images: Bytes of the images that each worker uses.
            memory_bytes: Memory limit of the process in bytes; None for no limit.

        Raises:
            WorkerError: if too many trainings in a row have run out of memory.
        """
        if _by_memory(death, memory_bytes):
            self._ran_out(images, memory_bytes)

    def ended(self, measurement: Measurement, images: int, memory_bytes: int | None) -> None:
        """Record the end of a training.

        Raises:
            WorkerError: if too many trainings in a row have run out of memory.
        """
        if measurement.failure is None:
            self._count = 0
        elif _FAILURE.match(measurement.failure):
            self._ran_out(images, memory_bytes)

    def advice(self, death: Death, images: int, memory_bytes: int | None) -> str:
        """Return advice if a process ran out of memory, to put at the start of a message; otherwise an empty string."""
        return f"{_why(images, memory_bytes)}. " if _by_memory(death, memory_bytes) else ""

    def _ran_out(self, images: int, memory_bytes: int | None) -> None:
        self._count += 1
        if self._count < MOST:
            return
        raise WorkerError(
            f"{MOST} worker processes in a row ran out of memory, with no finished training in between: "
            f"{_why(images, memory_bytes)}. Finished trainings are stored, and a new run with `reuse='any'` does "
            f"not repeat them"
        )


def _by_memory(death: Death, memory_bytes: int | None) -> bool:
    # When native code exceeds its memory limit, it aborts or crashes.
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
