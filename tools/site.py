"""What MkDocs is told beyond ``mkdocs.yml``: the list of decisions, and how bars in tables are shown.

``mkdocs build --strict`` loads it.
"""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any


def on_config(config: MutableMapping[str, Any]) -> None:
    """List every decision, by its own title."""
    docs = Path(config["docs_dir"])
    for entry in config["nav"]:
        if "Decisions" in entry:
            entry["Decisions"] = [
                {_title(page): f"decisions/{page.name}"} for page in sorted(docs.glob("decisions/*.md"))
            ]


def on_page_content(html: str, **_: Any) -> str:
    r"""Show the bars of code in tables, which GitHub wants as ``\|`` and Python-Markdown leaves as they are."""
    return re.sub(r"<code>[^<]*</code>", lambda found: found[0].replace("\\|", "|"), html)


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
