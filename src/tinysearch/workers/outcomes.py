"""What comes of jobs, whatever happens to the workers that have them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator

from tinysearch.results.record import Measurement
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import EpochDone, Executor, Handle, JobDone, JobLost

# How often a job is submitted whose worker was lost.
SUBMISSIONS = 3


def outcome_of(end: JobDone | JobLost, number: int) -> Outcome | None:
    """Return what came of a job that has ended; None if it was lost and is to be submitted again.

    Args:
        end: How it has ended.
        number: How often it has been submitted.
    """
    if isinstance(end, JobDone):
        return end.outcome
    return None if number < SUBMISSIONS else Outcome(Measurement(failure=f"{end.reason}, {number} times"))


def outcomes(executor: Executor, jobs: Iterable[Job], until: float | None = None) -> Iterator[tuple[int, Outcome]]:
    """Carry out jobs that are of no plan; yield the position of each and what came of it, as they are done.

    Args:
        executor: Where they are carried out.
        jobs: What is to be done.
        until: When it ends, by ``time.monotonic``, whatever is left to do; None for no limit.

    Raises:
        CostMismatchError: if Keras and the arithmetic disagree.
        WorkerError: if nothing can be trained here.
    """
    waiting = deque((position, job, 1) for position, job in enumerate(jobs))
    under_way: dict[Handle, tuple[int, Job, int]] = {}
    try:
        while waiting or under_way:
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return
            while waiting and len(under_way) < executor.capacity:
                begun = waiting.popleft()
                under_way[executor.submit(begun[1])] = begun
            event = executor.wait(left)
            if event is None or isinstance(event, EpochDone) or event.handle not in under_way:
                continue
            position, job, number = under_way.pop(event.handle)
            outcome = outcome_of(event, number)
            if outcome is None:
                waiting.appendleft((position, job, number + 1))
            else:
                yield position, outcome
    finally:
        for handle in under_way:
            executor.cancel(handle)
