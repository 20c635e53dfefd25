"""Parts of the dashboard's page, each with the version in which it last changed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from tinysearch.report.contents import Candidate, Progress, Report, Section
from tinysearch.report.html import metric_words, section_words
from tinysearch.report.table import row_word, usual_recipe
from tinysearch.report.templates import rendered


class Piece:
    """A part of the page as HTML, with the version of its last change."""

    def __init__(self) -> None:
        self.html = ""
        self.changed = 0

    def put(self, html: str, version: int) -> bool:
        """Set the HTML; return whether it differs from before."""
        if html == self.html:
            return False
        self.html, self.changed = html, version
        return True


class SearchPiece:
    """The points of one search. With several workers, a new trial may be inserted before known ones."""

    def __init__(self, version: int) -> None:
        self._points: list[tuple[Any, ...]] = []
        self._known: list[tuple[int, int]] = [(version, 0)]

    def put(self, search: Progress, version: int) -> bool:
        """Update the points; return whether they have changed."""
        points = list(zip(search.best, search.seconds, search.names, strict=True))
        if points == self._points:
            return False
        pairs = zip(points, self._points, strict=False)
        same = next(
            (place for place, (new, old) in enumerate(pairs) if new != old), min(len(points), len(self._points))
        )
        self._points = points
        # Pages of earlier versions share at most the first ``same`` points with this version.
        self._known = [(then, count) for then, count in self._known if count < same] + [(version, same)]
        return True

    def since(self, version: int, search: Progress) -> dict[str, Any] | None:
        """Return the points that have changed since a version; None if there are none."""
        same = min((count for then, count in self._known if then > version), default=None)
        if same is None:
            return None
        best, seconds, names = (list(values[same:]) for values in (search.best, search.seconds, search.names))
        return {
            "run": search.run,
            "budget": search.budget,
            "from": same,
            "best": best,
            "seconds": seconds,
            "names": names,
        }


class SectionPiece:
    """The results on one dataset. A candidate keeps the index with which it first appeared, whatever its rank."""

    def __init__(self, version: int) -> None:
        self.section: Section | None = None
        self.shape: tuple[Any, ...] = ()
        self.candidates: list[Candidate] = []
        self._changed: list[int] = []
        self._places: dict[tuple[str, str], int] = {}
        self._order: list[int] = []
        self._reordered = version
        self._headline, self._searches = Piece(), Piece()
        self._search_pieces: list[SearchPiece] = []
        self._usual: dict[str, Any] = {}
        self.words: dict[str, Any] = {}

    def put(self, section: Section, report: Report, version: int, number: int) -> bool:
        """Update the section; return whether something has changed."""
        if not self.candidates:
            self._usual = usual_recipe([one.recipe for one in section.candidates])
        changed = self._put_candidates(section, version)
        self.section = dataclasses.replace(section, candidates=self.candidates)
        self.words = section_words(self.section, report)
        self.shape = (
            section.dataset,
            section.metric,
            self.words["mixed"],
            bool(section.searches),
            str(self.words["columns"]),
        )
        shown = {"section": self.words, "id": number}
        changed |= self._headline.put(rendered("headline.html.j2", **shown), version)
        changed |= self._searches.put(rendered("searches.html.j2", **shown), version)
        for place, search in enumerate(section.searches):
            if place == len(self._search_pieces):
                self._search_pieces.append(SearchPiece(version))
            changed |= self._search_pieces[place].put(search, version)
        return changed

    def _put_candidates(self, section: Section, version: int) -> bool:
        new: set[int] = set()
        order: list[int] = []
        for one in sorted(section.candidates, key=lambda one: one.row.rank):
            place = self._places.setdefault((one.row.run, one.row.key), len(self.candidates))
            if place == len(self.candidates):
                self.candidates.append(one)
                self._changed.append(version)
                new.add(place)
            elif not _same(self.candidates[place], one):
                self._changed[place] = version
                new.add(place)
            self.candidates[place] = one
            order.append(place)
        kept = [place for place in self._order if place not in new]
        if kept != [place for place in order if place not in new]:
            self._reordered = version
        self._order = order
        return bool(new) or self._reordered == version

    @property
    def is_complete(self) -> bool:
        """Whether the section still has all candidates that it ever had."""
        return len(self._order) == len(self.candidates)

    def since(self, version: int) -> dict[str, Any]:
        """Return the changes since a version as plain JSON values."""
        assert self.section is not None  # noqa: S101
        places = [place for place, changed in enumerate(self._changed) if changed > version]
        rows = ((place, self.candidates[place]) for place in places)
        pieces = zip(self._search_pieces, self.section.searches, strict=True)
        return {
            "metric": metric_words(self.section),
            "candidates": [self._candidate(place, one) for place, one in rows],
            "order": self._order if self._reordered > version else None,
            "headline": self._headline.html if self._headline.changed > version else None,
            "table": self._searches.html if self._searches.changed > version else None,
            "searches": [piece.since(version, search) for piece, search in pieces],
        }

    def _candidate(self, place: int, one: Candidate) -> dict[str, Any]:
        row = rendered("row.html.j2", section=self.words, row=row_word(place, one, self._usual))
        return {
            "index": place,
            "row": one.row.to_dict(),
            "strategy": one.strategy,
            "documented": one.documented,
            "int8_weight_bytes": one.int8_weight_bytes,
            "html": row.strip(),
        }


def _same(one: Candidate, other: Candidate) -> bool:
    """Return whether two versions of a candidate are equal, ignoring the rank unless one was scored on test images."""
    if one.test is not None or other.test is not None:
        return one == other
    return _without_rank(one) == _without_rank(other)


def _without_rank(one: Candidate) -> Sequence[Any]:
    row = one.row
    return (row.val_metric, row.val_accuracy, row.val_seeds, row.on_pareto_front, row.other_environment, row.epochs)
