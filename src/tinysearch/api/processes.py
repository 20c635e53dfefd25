"""The worker processes of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tinysearch.api.kinds import check_instead

if TYPE_CHECKING:
    from tinysearch.data.dataset import Dataset
    from tinysearch.workers.executor import Executor


class Processes:
    """Processes of this machine that train, started when they are first needed and kept until they are ended."""

    def __init__(self) -> None:
        self._executor: Executor | None = None
        self._stall_limit: float | None = None

    def end(self) -> None:
        """Stop them; the next training starts new ones."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def take(self) -> Executor | None:
        """Hand them over to the caller, who has to stop them; None if there are none."""
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
        """Return processes that train, those that there are if possible.

        Args:
            dataset: What they train on.
            workers: How many; None for as many as there are, or else as suit cores and memory.
            memory: Memory limit of each in bytes; None for no limit.
            stall_limit: Seconds without a finished epoch after which a training is aborted; None for those of the call
                before, at first 1,800.
            instead: What trains instead of them and is returned; None for nothing.

        Raises:
            InputError: if processes are described, and something else trains instead of them.
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
