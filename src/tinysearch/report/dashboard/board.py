"""Thread-safe access to the page of the dashboard: one thread updates it, others read it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from tinysearch.report.contents import Report
from tinysearch.report.dashboard.changes import Changes
from tinysearch.report.states import RunState


class Board:
    """``Changes`` protected by a lock, with a way to wait for the next version."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._bell = threading.Condition()
        self._closed = False

    def put(self, report: Report, states: Sequence[RunState]) -> None:
        """Update the page, and notify the waiting threads if something has changed."""
        with self._bell:
            if self._changes.put(report, states):
                self._bell.notify_all()

    def page(self) -> str:
        """Return the page, see ``Changes``."""
        with self._bell:
            return self._changes.page()

    def since(self, version: int) -> dict[str, Any]:
        """Return the changes since a version, see ``Changes``."""
        with self._bell:
            return self._changes.since(version)

    def candidate(self, section: int, index: int) -> dict[str, Any] | None:
        """Return the details of a candidate, see ``Changes``."""
        with self._bell:
            return self._changes.candidate(section, index)

    def wait(self, version: int, seconds: float) -> int | None:
        """Wait at most ``seconds`` for a version after ``version``; return the current version, or None once closed."""
        with self._bell:
            self._bell.wait_for(lambda: self._closed or self._changes.version > version, seconds)
            return None if self._closed else self._changes.version

    def close(self) -> None:
        """Release all waiting threads; from then on, ``wait`` returns None."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()
