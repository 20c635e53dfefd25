"""Contract tests for plug-ins: what tinysearch expects of an executor, a strategy, a constraint, a callback.

Each raises an ``AssertionError`` that says what is wrong.
"""

from __future__ import annotations

from tinysearch.workers.contract import check_executor
from tinysearch.workers.threads import ThreadExecutor

__all__ = ["ThreadExecutor", "check_executor"]
