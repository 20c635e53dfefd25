"""The option ``--space``: reading the file, with a note where it is of the old format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tinysearch.cli.reporting import stderr


def read_space(path: Path | None) -> dict[str, Any] | None:
    """Read the file of a space, if one is given; on stderr goes how to write it if it does not say its format.

    Raises:
        SpaceError: if it cannot be read, or is not legal.
    """
    from tinysearch.space.space_file import format_note, read_spec

    if path is None:
        return None
    spec = read_spec(path)
    if spec and "format" not in spec:
        stderr().print(f"note: {format_note(spec, str(path))}", markup=False, highlight=False, soft_wrap=True)
    return spec
