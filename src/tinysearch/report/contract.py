"""The contract of renderers, as a check that can be called with any renderer."""

from __future__ import annotations

from tinysearch.report.text import Renderer
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.leaderboard import rank


def check_renderer(render: Renderer) -> None:
    """Check that a renderer returns text for the leaderboard of the reference results, and for an empty one.

    Args:
        render: A function, or the ``render`` method of an instance.

    Raises:
        AssertionError: if it returns something other than text, or different texts for the same leaderboard.
    """
    with open_to_read(REFERENCE) as store:
        boards = [rank(store.summaries()), rank(())]
    for board in boards:
        text = render(board)
        if not isinstance(text, str):
            raise AssertionError(f"a renderer returns text, got {text!r}")
        if render(board) != text:
            raise AssertionError("a renderer returns the same text for the same leaderboard")
