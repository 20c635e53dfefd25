"""The table of sources in the documentation says what is understood of each."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sources import SOURCES, Source

from tinysearch.data.loading import load
from tinysearch.data.overview import overview
from tinysearch.errors import DatasetError

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"
LONGEST = 170

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


def in_short(found: dict[str, Any]) -> str:
    """Return what was understood of a source in a few words, and what is wrong with it."""
    if found["errors"]:
        return f"error: {found['errors'][0]}"
    height, width, channels = found["input_shape"]
    shape = f"{height} steps x {channels} channels" if found["kind"] == "series" else f"{height}x{width}x{channels}"
    names = ", ".join(found["classes"][:3]) + (", ..." if len(found["classes"]) > 3 else "")
    parts = " + ".join(f"{part['images']:,} {name}" for name, part in found["parts"].items())
    groups = "" if found["groups"] is None else f", {found['groups']} groups"
    warned = "".join(f"; warning: {text}" for text in found["warnings"])
    return f"{shape} {found['dtype']}; {found['labels']}: {names}; {parts}{groups}{warned}"


def row(source: Source, understood: str, code: str) -> str:
    text = understood if len(understood) <= LONGEST else f"{understood[: LONGEST - 4].rstrip()} ..."
    return f"| {source.kind} | {source.told} | {text.replace('|', '/')} | {code} |"


@pytest.fixture
def rows(call: Callable[..., Any], tmp_path: Path) -> list[str]:
    """Return the rows of the table: every source is made, and read."""
    found = []
    for number, source in enumerate(SOURCES):
        folder = tmp_path / str(number)
        folder.mkdir()
        made = source.make(folder)
        if source.in_python:
            try:
                found.append(row(source, in_short(overview(load(made)).to_dict()), "-"))
            except DatasetError as error:
                found.append(row(source, f"error: {error}", "-"))
        else:
            done = call(folder, "data", *made, "--format", "json")
            text = in_short(json.loads(done.stdout)) if done.stdout else done.stderr.strip().splitlines()[-1]
            # Why a download fails is said in the words of this machine.
            text = text.split(" (no network")[0].split(" (no way")[0]
            found.append(row(source, text, str(done.returncode)))
        shutil.rmtree(folder)
    return found


def test_the_documentation_lists_what_is_understood_of_each_source(rows: list[str]) -> None:
    """To write the table again: TINYSEARCH_WRITE_DOCS=1 pytest tests/data/test_sources.py."""
    assert len(rows) >= 40
    head, mark, _ = PAGE.read_text(encoding="utf-8").partition("| source |")
    table = (
        "\n".join([f"{mark} what | understood, or the error | exit code |", "| --- | --- | --- | ---: |", *rows]) + "\n"
    )
    if "TINYSEARCH_WRITE_DOCS" in os.environ:
        PAGE.write_text(head + table, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == head + table


def test_each_source_is_in_the_table_once() -> None:
    assert len({(source.kind, source.told) for source in SOURCES}) == len(SOURCES)
