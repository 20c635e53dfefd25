"""Finds trainings that have stalled."""

from __future__ import annotations

import time
from collections.abc import Mapping

from tinysearch.workers.local.process import Process

# Seconds. A wait without end goes in steps, in which it sees what has stalled.
STEP = 1.0


class StallWatch:
    """Gives up trainings that have been silent for too long.

    Time counts in steps that were seen: while all of this process is stopped (Ctrl-Z, a laptop asleep) or busy with
    something else, nothing has stalled.

    Args:
        seconds: After how long without a finished epoch a training is given up.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._looked = time.monotonic()

    def look(self, processes: Mapping[Process, int | None]) -> None:
        """Kill the processes whose training has stalled.

        Args:
            processes: Each with its job; None if it has nothing to do.
        """
        now = time.monotonic()
        passed, self._looked = min(now - self._looked, 2 * STEP), now
        for process, handle in processes.items():
            if handle is not None and not process.stalled:
                process.silence += passed
                if process.silence > self._seconds:
                    process.give_up()
