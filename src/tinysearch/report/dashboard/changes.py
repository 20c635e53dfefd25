"""Changes of the dashboard's page between versions."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

from tinysearch.report.contents import Report
from tinysearch.report.dashboard.pieces import Piece, SectionPiece
from tinysearch.report.headline import reproduce
from tinysearch.report.html import frame
from tinysearch.report.states import RunState
from tinysearch.report.table import choices
from tinysearch.report.templates import rendered


class Changes:
    """Versioned content of a page, which answers with the changes since any earlier version.

    Pages with different shapes have different tables and plots; if the shape changes, the browser reloads the page.

    Args:
        title, subtitle: Title and subtitle of the page.
    """

    def __init__(self, title: str, subtitle: str) -> None:
        self.version = 0
        self.shape = ""
        self._frame = frame(title, subtitle)
        self._runs = Piece()
        self._states: Sequence[RunState] = ()
        self._sections: list[SectionPiece] = []
        self._report = Report([], [], 0)

    def put(self, report: Report, states: Sequence[RunState]) -> bool:
        """Update the content from a report and the states of runs; return whether something has changed."""
        version = self.version + 1
        if len(self._sections) != len(report.sections):
            self._sections = [SectionPiece(version) for _ in report.sections]
        changed = self._put_sections(report, version)
        if not all(piece.is_complete for piece in self._sections):
            self._sections = [SectionPiece(version) for _ in report.sections]
            changed = self._put_sections(report, version)
        self._report, self._states = report, states
        changed |= self._runs.put(rendered("runs.html.j2", runs=states), version)
        shapes = repr([report.failed if not report.sections else 0, *(piece.shape for piece in self._sections)])
        shape = hashlib.sha256(shapes.encode("utf-8", "backslashreplace")).hexdigest()[:12]
        changed |= shape != self.shape
        self.shape = shape
        self.version += changed
        return changed

    def _put_sections(self, report: Report, version: int) -> bool:
        changed = False
        for number, (piece, section) in enumerate(zip(self._sections, report.sections, strict=True)):
            changed |= piece.put(section, report, version, number)
        return changed

    def page(self) -> str:
        """Return the page as HTML without its candidates, which its script fetches."""
        sections = [
            {**piece.words, **choices(piece.section), "rows": []}
            for piece in self._sections
            if piece.section is not None
        ]
        live = {"shape": self.shape}
        return rendered(
            "page.html.j2", **self._frame, sections=sections, failed=self._report.failed, live=live, runs=self._states
        )

    def since(self, version: int) -> dict[str, Any]:
        """Return the changes since a version as plain JSON values; 0 for the whole content."""
        return {
            "version": self.version,
            "shape": self.shape,
            "runs": self._runs.html if self._runs.changed > version else None,
            "sections": [
                {**piece.since(version), "choices": choices(piece.section)}
                for piece in self._sections
                if piece.section is not None
            ],
        }

    def candidate(self, section: int, index: int) -> dict[str, Any] | None:
        """Return the details of a candidate as plain JSON values; None if there is no such candidate."""
        if not 0 <= section < len(self._sections) or not 0 <= index < len(self._sections[section].candidates):
            return None
        one = self._sections[section].candidates[index]
        whole = self._report.sections[section]
        return {**dataclasses.asdict(one), "reproduce": reproduce(whole, self._report, one)}
