"""Renderings of a leaderboard: one function each, and the registry that names the formats of text."""

from __future__ import annotations

from collections.abc import Callable

from tinysearch.results.leaderboard import Leaderboard
from tinysearch.results.render.text import to_csv, to_json, to_markdown

FORMATS: dict[str, Callable[[Leaderboard], str]] = {"json": to_json, "csv": to_csv, "markdown": to_markdown}

__all__ = ["FORMATS", "to_csv", "to_json", "to_markdown"]
