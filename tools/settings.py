"""Write the table of arguments in docs/python.md from their types, meanings and defaults.

python tools/settings.py
"""

from __future__ import annotations

import inspect
from pathlib import Path

import tinysearch
from tinysearch.api.arguments import described, meanings

PAGE = Path(__file__).parents[1] / "docs" / "python.md"
HEADING = "## Settings\n"


def table() -> str:
    """Return a table with a row for each argument of ``run``."""
    texts = {
        **described(tinysearch.Study.run),
        **described(tinysearch.Study),
        **described(tinysearch.run),
        **meanings(),
    }
    lines = ["| argument | default | type | meaning |", "| --- | --- | --- | --- |"]
    for name, one in inspect.signature(tinysearch.run).parameters.items():
        written = one.annotation.replace("|", "\\|")
        lines.append(f"| `{name}` | `{one.default!r}` | `{written}` | {texts[name].replace('``', '`')} |")
    return "\n".join(lines) + "\n"


def page(text: str) -> str:
    """Return a page with the current table in place of the one under the last ``HEADING``."""
    before, heading, under = text.rpartition(HEADING)
    introduction = under.partition("\n| ")[0]
    return f"{before}{heading}{introduction}\n{table()}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
