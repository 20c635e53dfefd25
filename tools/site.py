"""MkDocs hooks that list the decisions and show bars in tables.

``mkdocs build --strict`` loads this module.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any


def on_config(config: MutableMapping[str, Any]) -> None:
    """List all decisions in the navigation, by their titles."""
    docs = Path(config["docs_dir"])
    for entry in config["nav"]:
        if "Decisions" in entry:
            entry["Decisions"] = [
                {_title(page): f"decisions/{page.name}"} for page in sorted(docs.glob("decisions/*.md"))
            ]


def on_page_content(html: str, **_: Any) -> str:
    r"""Replace ``\|`` by a bar in code: GitHub requires the backslash in tables, Python-Markdown keeps it."""
    return re.sub(r"<code>[^<]*</code>", lambda found: found[0].replace("\\|", "|"), html)


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
