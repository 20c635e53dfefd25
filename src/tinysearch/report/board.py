"""A leaderboard that shows itself: as a table where it is printed, and in the output of a notebook's cell."""

from __future__ import annotations

from tinysearch.report.notebook import WIDTH, as_html
from tinysearch.report.terminal import leaderboard, plain
from tinysearch.results.leaderboard import Leaderboard

# What to do about columns that there is no room for.
_SPACE = "`rows` of the leaderboard has all"


class Board(Leaderboard):
    """A leaderboard whose text is its table."""

    __slots__ = ()

    @classmethod
    def showing(cls, board: Leaderboard) -> Board:
        """Return the same leaderboard as one that shows itself."""
        return cls(board.rows, board.failed, board.hidden_rows, board.mixed, board.splits)

    def __str__(self) -> str:
        """Return the table, 120 columns wide."""
        return plain(self, space=_SPACE)

    def _repr_html_(self) -> str:
        """Return the table for a notebook."""
        return as_html(leaderboard(self, WIDTH, space=_SPACE))
