"""Number of candidates that cores and memory allow to train at a time."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.runtime.cores import MOST_WORKERS, usable_cores
from tinysearch.runtime.memory import usable_memory, worker_bytes


@dataclass(frozen=True, slots=True)
class Capacity:
    """Cores and memory available for workers.

    Args:
        cores: Number of usable cores.
        memory: Bytes of memory available for workers.
        worker: Bytes of memory that each worker takes.
    """

    cores: int
    memory: int
    worker: int

    @classmethod
    def here(cls, images: int, worker_memory: int | None = None) -> Capacity:
        """Return the capacity of this process, by its affinity, the limits of its container, and available memory.

        Args:
            images: Bytes of the images that each worker uses.
            worker_memory: Memory limit of each worker in bytes; None for no limit.
        """
        needed = worker_bytes(images)
        return cls(usable_cores(), usable_memory(), needed if worker_memory is None else min(needed, worker_memory))

    @property
    def by_cores(self) -> int:
        """Number of workers by cores: one per core, up to 8.

        Networks this small leave a second thread idle most of the time. But with each further worker, the search knows
        fewer results when it proposes a candidate.
        """
        return min(self.cores, MOST_WORKERS)

    @property
    def by_memory(self) -> int:
        """Number of workers for which the memory suffices, at least 1."""
        return max(1, self.memory // self.worker)

    @property
    def workers(self) -> int:
        """Default number of workers of a run."""
        return min(self.by_cores, self.by_memory)

    def note(self, workers: int) -> str | None:
        """Return a note if memory is too short for ``workers`` or limits their default number; otherwise None."""
        needs = f"a worker takes about {gigabytes(self.worker)} of memory, and {gigabytes(self.memory)} can be used"
        if workers > self.by_memory or workers * self.worker > self.memory:
            return (
                f"{needs}: {workers} at a time may be killed by the system; give fewer `workers=`, or free some memory"
                if workers > 1
                else f"{needs}: it may be killed by the system; free some memory"
            )
        if workers == self.by_memory < self.by_cores:
            return f"{needs}: {workers} at a time, where {self.cores} cores would allow {self.by_cores}"
        return None


def gigabytes(count: int) -> str:
    """Return a number of bytes as a readable text, such as ``"1.5 GB"``."""
    return f"{count / 1e9:.1f} GB"
