"""Output in any encoding: ASCII replaces characters that the encoding of a stream does not have."""

from __future__ import annotations

import codecs
import io
import sys

# Name of the error handler that `survive_any_encoding` registers for Python's streams.
ERRORS = "tinysearch-stand-in"

# Replacements for what tinysearch and its libraries print. Each is as wide, so that columns stay aligned; higher blocks
# have denser ones.
_STAND_INS = str.maketrans("▁▂▃▄▅▆▇█─━╸╺│┃…–—‘’“”", "_.-:=+*#----||~--''\"\"")  # noqa: RUF001


def survive_any_encoding() -> None:
    """Make standard output and standard error accept every character in some form.

    Only for the process of the command line: a program that imports tinysearch keeps its streams as they are.
    """
    codecs.register_error(ERRORS, _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """Return the replacement of characters that cannot be encoded, and the position after them; see ``codecs``."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, end = error.object, error.end
    said = "".join(_ascii(character) for character in text[error.start : end])
    if said.endswith("+-") and text[end : end + 1] == " ":
        # Two characters replace one, so the space after it is dropped.
        end += 1
    return said, end


def _ascii(character: str) -> str:
    if character == "±":
        return "+-"
    return character.translate(_STAND_INS).encode("ascii", "backslashreplace").decode("ascii")
