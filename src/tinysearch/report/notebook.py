"""Progress in a notebook: one output that is updated in place."""

from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from typing import Any

from tinysearch.runtime.rich import Console, RenderableType

WIDTH = 110
# Minimum number of seconds between two updates.
_PAUSE = 0.5


def in_notebook() -> bool:
    """Return whether this process is the kernel of a notebook."""
    module = sys.modules.get("IPython")
    shell = None if module is None else module.get_ipython()
    return shell is not None and hasattr(shell, "kernel")


def as_html(shown: RenderableType) -> str:
    """Return the terminal output of a renderable as HTML for the output of a cell."""
    # In a notebook, a console would also display its output in the cell, whatever its file.
    console = Console(
        file=io.StringIO(),
        record=True,
        width=WIDTH,
        force_terminal=True,
        color_system="truecolor",
        force_jupyter=False,
        markup=False,
        emoji=False,
    )
    console.print(shown)
    style = "line-height:normal;font-family:Menlo,Consolas,monospace"
    return console.export_html(inline_styles=True, code_format=f'<pre style="{style}">{{code}}</pre>')


class NotebookLive:
    """Notebook output of a function, updated by ``refresh``.

    Args:
        render: Function that returns the content.
    """

    def __init__(self, render: Callable[[], RenderableType]) -> None:
        self._render = render
        self._handle: Any = None
        self._drawn = 0.0

    def start(self) -> None:
        """Display the output for the first time."""
        from IPython import display

        show: Any = display.display
        self._handle = show({"text/html": self._html(), "text/plain": ""}, raw=True, display_id=True)

    def refresh(self, *, now: bool = False) -> None:
        """Update the output, unless the last update is less than half a second ago and ``now`` is not set."""
        if self._handle is not None and (now or time.monotonic() - self._drawn >= _PAUSE):
            self._drawn = time.monotonic()
            self._handle.update({"text/html": self._html(), "text/plain": ""}, raw=True)

    def stop(self) -> None:
        """Update the output for the last time."""
        self.refresh(now=True)
        self._handle = None

    def _html(self) -> str:
        return as_html(self._render())
