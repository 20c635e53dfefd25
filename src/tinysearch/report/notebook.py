"""Progress in a notebook: one output that is drawn anew, as a terminal's is."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console, RenderableType

WIDTH = 110
# Seconds between two drawings.
_PAUSE = 0.5


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook, which can show more than text."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def as_html(shown: RenderableType) -> str:
    """Return what a terminal would show as HTML for the output of a cell."""
    # In a notebook a console would show what it prints as an output of its own, wherever its file is.
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        force_jupyter=False,
    )
    console.print(shown)
    style = "line-height:normal;font-family:Menlo,Consolas,monospace"
    return console.export_html(inline_styles=True, code_format=f'<pre style="{style}">{{code}}</pre>')


class NotebookLive:
    """Shows what a function returns, and shows it anew when ``refresh`` is called.

    Args:
        render: Returns what is to be shown.
    """

    def __init__(self, render: Callable[[], RenderableType]) -> None:
        self._render = render
        self._handle: Any = None
        self._drawn = 0.0

    def start(self) -> None:
        """Begin to show it."""
        from IPython import display

        show: Any = display.display
        self._handle = show({"text/html": self._html(), "text/plain": ""}, raw=True, display_id=True)

    def refresh(self, *, now: bool = False) -> None:
        """Show it anew, if that was not done a moment ago."""
        if self._handle is not None and (now or time.monotonic() - self._drawn >= _PAUSE):
            self._drawn = time.monotonic()
            self._handle.update({"text/html": self._html(), "text/plain": ""}, raw=True)

    def stop(self) -> None:
        """Show it for the last time."""
        self.refresh(now=True)
        self._handle = None

    def _html(self) -> str:
        return as_html(self._render())
