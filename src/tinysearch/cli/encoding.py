"""Output that survives any encoding: stand-ins in ASCII for what the encoding of a stream cannot carry."""

from __future__ import annotations

import codecs
import io
import sys

# Known to Python's streams by this name once `survive_any_encoding` was called.
ERRORS = "tinysearch-stand-in"

# What tinysearch and its libraries print, by something as wide, so that columns stay columns; blocks rise.
_STAND_INS = str.maketrans("▁▂▃▄▅▆▇█─━╸╺│┃…–—‘’“”", "_.-:=+*#----||~--''\"\"")  # noqa: RUF001


def survive_any_encoding() -> None:
    """Have standard output and standard error carry every character in some form.

    For a process that is the command line: a program that imports tinysearch keeps its streams as they are.
    """
    codecs.register_error(ERRORS, _stand_in)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=ERRORS)


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that cannot be encoded, and where to go on; as ``codecs`` asks for."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text, end = error.object, error.end
    said = "".join(_ascii(character) for character in text[error.start : end])
    if said.endswith("+-") and text[end : end + 1] == " ":
        # Two characters for one: the space behind it makes way.
        end += 1
    return said, end


def _ascii(character: str) -> str:
    if character == "±":
        return "+-"
    return character.translate(_STAND_INS).encode("ascii", "backslashreplace").decode("ascii")
