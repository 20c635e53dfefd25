"""One page for everybody who looks at it: one thread changes it, others read it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

from tinysearch.report.contents import Report
from tinysearch.report.dashboard.changes import Changes
from tinysearch.report.states import RunState


class Board:
    """``Changes`` behind a lock, and a bell for those who wait for the next version."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._bell = threading.Condition()
        self._closed = False

    def put(self, report: Report, states: Sequence[RunState]) -> None:
        """Show what the store holds now."""
        with self._bell:
            if self._changes.put(report, states):
                self._bell.notify_all()

    def page(self) -> str:
        """Return the page, see ``Changes``."""
        with self._bell:
            return self._changes.page()

    def since(self, version: int) -> dict[str, Any]:
        """Return what is new, see ``Changes``."""
        with self._bell:
            return self._changes.since(version)

    def candidate(self, section: int, index: int) -> dict[str, Any] | None:
        """Return all of a candidate, see ``Changes``."""
        with self._bell:
            return self._changes.candidate(section, index)

    def wait(self, version: int, seconds: float) -> int | None:
        """Wait for a version after this one, but not longer than this; return the present one, None once closed."""
        with self._bell:
            self._bell.wait_for(lambda: self._closed or self._changes.version > version, seconds)
            return None if self._closed else self._changes.version

    def close(self) -> None:
        """Send home those who wait."""
        with self._bell:
            self._closed = True
            self._bell.notify_all()
