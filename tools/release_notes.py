"""Print the notes of a release: its section of the changelog.

::

    python tools/release_notes.py v0.2.0
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

CHANGELOG = Path(__file__).parents[1] / "CHANGELOG.md"


def notes(changelog: str, version: str) -> str:
    """Return the section of a version, without its heading; links into the repository stay unchanged.

    Raises:
        ValueError: if the section does not exist or is empty.
    """
    wanted = version.removeprefix("v")
    sections = re.split(r"^## \[(.+?)\].*$", changelog, flags=re.MULTILINE)
    found = dict(zip(sections[1::2], sections[2::2], strict=True))
    text = found.get(wanted, "").strip()
    if not text:
        known = ", ".join(found)
        raise ValueError(f"CHANGELOG.md has no section for {wanted}, or an empty one; its sections: {known}")
    return text


if __name__ == "__main__":
    sys.stdout.write(notes(CHANGELOG.read_text(encoding="utf-8"), sys.argv[1]) + "\n")
