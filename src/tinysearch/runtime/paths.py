"""Paths as users write them."""

from __future__ import annotations

import re
from os import PathLike, fspath
from pathlib import Path

from tinysearch.errors import InputError

# At least two letters, because C:/ is a drive. One slash, because a Path collapses two into one.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local(given: str | PathLike[str], what: str) -> Path:
    """Return the path of a local file or folder; expand ``~`` at its beginning to the home folder of a user.

    Args:
        given: The path as the user wrote it.
        what: What the path is for, used in errors, such as ``"a store"``.

    Raises:
        InputError: if the path is a URL, or if the home folder is unknown.
    """
    text = fspath(given)
    if _URL.match(text):
        raise InputError(f"{what} is a file or folder on this machine, not a URL; got {text!r}, give its path alone")
    try:
        return Path(text).expanduser() if text.startswith("~") else Path(text)
    except RuntimeError:
        raise InputError(f"the home folder in {text!r} is unknown; write the path without ~") from None
