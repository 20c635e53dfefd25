"""A leaderboard that displays itself as a table, when printed or as the output of a notebook cell."""

from __future__ import annotations

from tinysearch.report.notebook import WIDTH, as_html
from tinysearch.report.terminal import leaderboard, plain
from tinysearch.results.leaderboard import Leaderboard

# Advice for the remark about columns that do not fit.
_SPACE = "`rows` of the leaderboard has all"


class Board(Leaderboard):
    """A leaderboard whose text is its table."""

    __slots__ = ()

    @classmethod
    def showing(cls, board: Leaderboard) -> Board:
        """Return a ``Board`` with the content of a leaderboard."""
        return cls(board.rows, board.failed, board.hidden_rows, board.mixed, board.splits)

    def __str__(self) -> str:
        """Return the table, 120 characters wide."""
        return plain(self, space=_SPACE)

    def _repr_html_(self) -> str:
        """Return the table as HTML for a notebook."""
        return as_html(leaderboard(self, WIDTH, space=_SPACE))
