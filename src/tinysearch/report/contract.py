"""The contract of renderers, as a test that any renderer can be put to."""

from __future__ import annotations

from tinysearch.report.text import Renderer
from tinysearch.results.archive import REFERENCE, open_to_read
from tinysearch.results.leaderboard import rank


def check_renderer(render: Renderer) -> None:
    """Check that a renderer makes text of any leaderboard: of the reference results, and of none.

    Args:
        render: A function, or the ``render`` of an instance.

    Raises:
        AssertionError: if it does not, or not always the same.
    """
    with open_to_read(REFERENCE) as store:
        boards = [rank(store.summaries()), rank(())]
    for board in boards:
        text = render(board)
        if not isinstance(text, str):
            raise AssertionError(f"a renderer returns text, got {text!r}")
        if render(board) != text:
            raise AssertionError("a renderer returns the same text for the same leaderboard")
