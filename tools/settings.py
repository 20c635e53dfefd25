"""Writes the table of settings in docs/python.md from their types, meanings and defaults.

python tools/settings.py
"""

from __future__ import annotations

from pathlib import Path

from tinysearch.api.arguments import defaults, meanings, types

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
HEADING = "## Settings\n"


def table() -> str:
    """Return a row for each setting."""
    values, texts = defaults(), meanings()
    lines = ["| setting | default | type | meaning |", "| --- | --- | --- | --- |"]
    for name, kind in types().items():
        written = kind.replace("|", "\\|")
        lines.append(f"| `{name}` | `{values[name]!r}` | `{written}` | {texts[name].replace('``', '`')} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return a page with the table of today in the place of that under the last heading."""
    before, heading, under = text.rpartition(HEADING)
    introduction = under.partition("\n| ")[0]
    return f"{before}{heading}{introduction}\n{table()}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
