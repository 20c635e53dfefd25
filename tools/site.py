"""What MkDocs is told of the documentation beyond ``mkdocs.yml``: the pages that come by themselves.

``mkdocs build --strict`` loads it.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

# Pages that have their place once they are there.
TUTORIALS = {"A cluster": "cluster.md"}


def on_config(config: MutableMapping[str, Any]) -> None:
    """List every decision, by its own title, and the tutorials that are there."""
    docs = Path(config["docs_dir"])
    for entry in config["nav"]:
        if "Decisions" in entry:
            entry["Decisions"] = [
                {_title(page): f"decisions/{page.name}"} for page in sorted(docs.glob("decisions/*.md"))
            ]
        if "Tutorials" in entry:
            entry["Tutorials"] += [{title: page} for title, page in TUTORIALS.items() if (docs / page).exists()]


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
