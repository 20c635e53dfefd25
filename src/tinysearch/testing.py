"""Contract tests for plug-ins: strategies, constraints, executors, readers and others.

A failed check raises an ``AssertionError`` that describes the failure.

>>> import tinysearch
>>> tinysearch.testing.check_strategy("random", lengths=(0, 3))
"""

from __future__ import annotations

from tinysearch.data.readers.contract import check_reader
from tinysearch.report.contract import check_renderer
from tinysearch.results.contract import check_objective
from tinysearch.search.contract import check_constraint, check_strategy
from tinysearch.workers.contract import check_executor
from tinysearch.workers.threads import ThreadExecutor

__all__ = [
    "ThreadExecutor",
    "check_constraint",
    "check_executor",
    "check_objective",
    "check_reader",
    "check_renderer",
    "check_strategy",
]
