"""Where data goes: standard output, or a file."""

from __future__ import annotations

import sys
from pathlib import Path

from tinysearch.errors import InputError


def write(text: str, path: Path | None = None, option: str = "-o") -> None:
    """Write text to a file, in UTF-8; or without one to standard output, in its own encoding.

    Args:
        text: What to write.
        path: The file.
        option: How another file is named.

    Raises:
        InputError: if the file cannot be written.
    """
    if path is None:
        # typer.echo would take an ASCII stream for one of UTF-8.
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); name another file with {option}") from None


def write_page(page: str, path: Path | None = None) -> None:
    """Write a page as ``write`` does; it says itself that it is in UTF-8, so it is in standard output too.

    Raises:
        InputError: if the file cannot be written.
    """
    if path is not None:
        write(page, path)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(page.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
