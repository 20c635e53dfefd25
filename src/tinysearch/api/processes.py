"""The worker processes of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinysearch.api.kinds import check_instead

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.workers.executor import Executor


class Processes:
    """Local worker processes, started when they are first needed and kept until ``end``."""

    def __init__(self) -> None:
        self._executor: Executor | None = None
        self._stall_limit: float | None = None

    def end(self) -> None:
        """Stop the processes; the next training starts new ones."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def take(self) -> Executor | None:
        """Hand over the processes to the caller, who must stop them; None if none run."""
        taken, self._executor = self._executor, None
        return taken

    def get(
        self,
        dataset: Dataset,
        workers: int | None,
        memory: int | None,
        stall_limit: float | None,
        instead: Executor | None = None,
    ) -> Executor:
        """Return an executor, the running one if it fits.

        Args:
            dataset: Data to train on.
            workers: Number of processes; None for that of the running executor, or else as cores and memory allow.
            memory: Memory limit of each process in bytes; None for no limit.
            stall_limit: Seconds without a finished epoch after which a training is aborted; None for that of the
                previous call, at first 1,800.
            instead: Executor to return instead of local processes; None for none.

        Raises:
            InputError: if ``workers`` or ``stall_limit`` is combined with another executor.
        """
        from tinysearch.runtime.capacity import Capacity
        from tinysearch.runtime.memory import check_limit
        from tinysearch.workers.local.executor import STALL_SECONDS, LocalExecutor

        check_instead(instead, workers=workers, stall_limit=stall_limit)
        if instead is not None:
            return instead
        check_limit(memory)
        running = self._executor
        stall = (self._stall_limit or STALL_SECONDS) if stall_limit is None else stall_limit
        if workers is None and running is not None:
            workers = running.capacity
        elif workers is None:
            workers = Capacity.here(dataset.train.pixels.nbytes, memory).workers
        if running is not None and (workers, stall) == (running.capacity, self._stall_limit):
            return running
        self.end()
        self._stall_limit = stall
        self._executor = LocalExecutor(workers, stall_seconds=stall)
        return self._executor
