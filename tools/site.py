"""What MkDocs is told of the documentation beyond ``mkdocs.yml``: the decisions, which come by themselves.

``mkdocs build --strict`` loads it.
"""

from __future__ import annotations

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


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
