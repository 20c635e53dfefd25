"""The file that a budget adds to the folder of a search: the rejections, and the parameters of the trials."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

Numbers = Mapping[str, int]


def read(folder: str) -> tuple[Numbers, Numbers]:
    """Return the number of rejections by reason and the parameters by trial; both are empty without a readable file."""
    path = _path(folder)
    try:
        kept = {} if path is None else json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        kept = {}
    return kept.get("rejections", {}), kept.get("params", {})


def write(folder: str, rejections: Numbers, params: Numbers) -> None:
    """Replace the file."""
    path = _path(folder)
    if path is not None:
        part = path.with_suffix(".part")
        part.write_text(json.dumps({"rejections": rejections, "params": params}), encoding="utf-8")
        part.replace(path)


def _path(folder: str) -> Path | None:
    """Return the path of the file, or None if the folder is in storage without files, such as a bucket."""
    return None if "://" in folder else Path(folder) / "rejections.json"
