"""Detection of stalled trainings."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tinysearch.workers.local.process import Process

# Seconds. A long wait is split into steps, to look for stalled trainings between them.
STEP = 1.0


class StallWatch:
    """Watchdog that aborts trainings that finish no epoch for too long.

    Each call of ``look`` counts at most two steps of time, so the time in which this process is suspended (Ctrl-Z, a
    sleeping laptop) or busy does not count.

    Args:
        seconds: Seconds without a finished epoch after which a training is aborted.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._looked = time.monotonic()

    def look(self, processes: Mapping[Process, int | None]) -> None:
        """Kill the processes whose training has stalled.

        Args:
            processes: Processes with the handles of their jobs; None for an idle process.
        """
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, 2 * STEP), now
        for process, handle in processes.items():
            if handle is not None and not process.stalled:
                process.silence += passed
                if process.silence > self._seconds:
                    process.give_up()
