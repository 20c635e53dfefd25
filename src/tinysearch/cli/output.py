"""Output of data to standard output or to a file."""

from __future__ import annotations

import sys
from pathlib import Path

from tinysearch.errors import InputError


def write(text: str, path: Path | None = None, option: str = "-o") -> None:
    """Write text to a file in UTF-8; without a file, to standard output in its own encoding.

    Args:
        text: Text to write.
        path: Path of the file; None for standard output.
        option: Option that names another file, for the error message.

    Raises:
        InputError: if the file cannot be written.
    """
    if path is None:
        # typer.echo would treat an ASCII stream as UTF-8.
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror}); name another file with {option}") from None


def write_page(page: str, path: Path | None = None) -> None:
    """Write a page as ``write`` does, but always in UTF-8, because the page itself declares this encoding.

    Raises:
        InputError: if the file cannot be written.
    """
    if path is not None:
        write(page, path)
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(page.encode("utf-8", "backslashreplace"))
    sys.stdout.buffer.flush()
