"""The option ``--space``: reads the file, with a note if it has the old format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinysearch.cli.reporting import stderr


def read_space(path: Path | None) -> dict[str, Any] | None:
    """Read the file of a space, if one is given; if it does not name its format, print on stderr how to write it.

    Raises:
        SpaceError: if the file cannot be read, or is invalid.
    """
    from tinysearch.space.space_file import format_note, read_spec

    if path is None:
        return None
    spec = read_spec(path)
    if spec and "format" not in spec:
        stderr().print(f"note: {format_note(spec, str(path))}", soft_wrap=True)
    return spec
