"""Paths as people write them."""

from __future__ import annotations

import re
from os import PathLike, fspath
from pathlib import Path

from tinysearch.errors import InputError

# Two letters at least, for C:/ is a drive; one slash, for that is what a Path leaves of two.
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/")


def local(given: str | PathLike[str], what: str) -> Path:
    """Return the path of a file or folder on this machine; ``~`` at its beginning is the home of a user.

    Args:
        given: As a person wrote it.
        what: Says in errors what it is the path of: ``"a store"``.

    Raises:
        InputError: if it is a URL, or the home is not known.
    """
    text = fspath(given)
    if _URL.match(text):
        raise InputError(f"{what} is a file or folder on this machine, not a URL; got {text!r}, give its path alone")
    try:
        return Path(text).expanduser() if text.startswith("~") else Path(text)
    except RuntimeError:
        raise InputError(f"the home folder in {text!r} is unknown; write the path without ~") from None
