"""The parts of Rich that tinysearch uses, loaded without changing the global random generator that Rich draws from."""

from __future__ import annotations

from tinysearch.runtime.backend import python_generator_kept

with python_generator_kept():
    from rich.console import Console, Group, RenderableType
    from rich.live import Live
    from rich.progress_bar import ProgressBar
    from rich.rule import Rule
    from rich.table import Table
    from rich.text import Text

__all__ = ["Console", "Group", "Live", "ProgressBar", "RenderableType", "Rule", "Table", "Text"]
