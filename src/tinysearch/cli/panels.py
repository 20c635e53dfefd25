"""Headings under which a command lists its options, as Typer's ``rich_help_panel``."""

from __future__ import annotations

COMMON = "Common"
SEARCH = "Search"
TRAINING = "Training"
RESOURCES = "Resources"
DATA = "Data"
# Rarely needed: ``--help`` names them, ``--help-all`` and docs/commands.md explain them.
ADVANCED = "Advanced"
PANELS = (COMMON, SEARCH, TRAINING, RESOURCES, DATA, ADVANCED)
