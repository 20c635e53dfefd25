"""Outcomes of jobs, resubmitting jobs whose workers are lost."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator

from tinysearch.results.record import Measurement
from tinysearch.training.job import Job, Outcome
from tinysearch.workers.executor import EpochDone, Executor, Handle, JobDone, JobLost

# Maximum number of times that a job is submitted if its worker is lost.
SUBMISSIONS = 3


def outcome_of(end: JobDone | JobLost, number: int) -> Outcome | None:
    """Return the outcome of a job that has ended; None if it was lost and must be submitted again.

    Args:
        end: The last event of the job.
        number: Number of times that the job has been submitted.
    """
    if isinstance(end, JobDone):
        return end.outcome
    return None if number < SUBMISSIONS else Outcome(Measurement(failure=f"{end.reason}, {number} times"))


def outcomes(executor: Executor, jobs: Iterable[Job], until: float | None = None) -> Iterator[tuple[int, Outcome]]:
    """Run jobs outside of a search plan; yield the position and the outcome of each as it finishes.

    Args:
        executor: Runs the jobs.
        jobs: The jobs to run.
        until: Time by ``time.monotonic`` at which to stop, even if jobs are unfinished; None for no limit.

    Raises:
        CostMismatchError: if Keras and the computed costs disagree.
        WorkerError: if the executor cannot train any candidate.
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
