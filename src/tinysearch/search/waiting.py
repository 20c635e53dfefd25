"""Waiting for trainings, with a sign of life now and then for those who watch the run."""

from __future__ import annotations

import time
from collections.abc import Sequence

from tinysearch.results.lock import BEAT, RunLock
from tinysearch.results.record import Measurement
from tinysearch.workers.executor import Executor


def next_done(executor: Executor, until: float | None, locks: Sequence[RunLock]) -> tuple[int, Measurement] | None:
    """Wait for the next training that is done.

    Args:
        executor: Has trainings under way.
        until: How long, on the clock of ``time.monotonic``; None for as long as it takes.
        locks: Those of the runs that the trainings are of.

    Returns:
        Its position and what was measured; None if the time was up before.
    """
    while True:
        step = time.monotonic() + BEAT
        done = executor.wait(step if until is None else min(until, step))
        for lock in locks:
            lock.beat()
        if done is not None or (until is not None and time.monotonic() >= until):
            return done
