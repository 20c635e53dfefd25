"""How many candidates can be trained at a time: what cores and memory allow."""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.runtime.cores import MOST_WORKERS, usable_cores
from tinysearch.runtime.memory import usable_memory, worker_bytes


@dataclass(frozen=True, slots=True)
class Capacity:
    """What there is for workers.

    Args:
        cores: How many cores can be used.
        memory: Bytes of memory that workers can take.
        worker: Bytes of memory that each of them takes.
    """

    cores: int
    memory: int
    worker: int

    @classmethod
    def here(cls, images: int, worker_memory: int | None = None) -> Capacity:
        """Return that of this process, by its affinity, the limits of its container, and the memory that is available.

        Args:
            images: Bytes of the images that each worker has.
            worker_memory: Bytes of memory that each worker may have; None for no limit.
        """
        needed = worker_bytes(images)
        return cls(usable_cores(), usable_memory(), needed if worker_memory is None else min(needed, worker_memory))

    @property
    def by_cores(self) -> int:
        """One worker per core, up to 8.

        Networks this small leave a second thread idle most of the time; but with every worker the search knows less
        when it proposes.
        """
        return min(self.cores, MOST_WORKERS)

    @property
    def by_memory(self) -> int:
        """As many workers as there is memory for, at least one."""
        return max(1, self.memory // self.worker)

    @property
    def workers(self) -> int:
        """How many workers a run has by default."""
        return min(self.by_cores, self.by_memory)

    def note(self, workers: int) -> str | None:
        """Say what memory means for so many workers; None if there is enough."""
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
    """Return a number of bytes for people, ``"1.5 GB"``."""
    return f"{count / 1e9:.1f} GB"
