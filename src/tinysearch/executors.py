"""Executors, which run trainings: ``Local`` processes, a ``Ray`` cluster, or your own ``Executor``.

>>> import tinysearch
>>> with tinysearch.executors.Local(workers=2) as executor:
...     executor.capacity
2
"""

from __future__ import annotations

from tinysearch.training.job import DataReference, Job, Outcome, Resources
from tinysearch.workers.executor import EpochDone, Event, Executor, Handle, JobDone, JobLost
from tinysearch.workers.local.executor import LocalExecutor as Local
from tinysearch.workers.ray.executor import RayExecutor as Ray
from tinysearch.workers.sharing import opened

__all__ = [
    "DataReference",
    "EpochDone",
    "Event",
    "Executor",
    "Handle",
    "Job",
    "JobDone",
    "JobLost",
    "Local",
    "Outcome",
    "Ray",
    "Resources",
    "opened",
]
