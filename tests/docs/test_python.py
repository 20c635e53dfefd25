"""docs/python.md, read as a file: its examples run as one script, its table of arguments is that of today."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Any

import pytest

import tinysearch

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


@pytest.mark.slow
@pytest.mark.usefixtures("untrained")
def test_its_examples_run_as_one_script(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYSEARCH_STORE", raising=False)
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 14
    names: dict[str, Any] = {"__name__": "example"}
    exec("\n".join(blocks), names)  # noqa: S102
    shown = capsys.readouterr()
    assert "Leaderboard: digits" in shown.out
    assert "did you mean 'trials'" in shown.out
    assert names["model"].count_params() == tinysearch.cost(names["network"], names["task"]).params
    assert {path.name for path in tmp_path.iterdir()} == {"runs"}
    for name in ("first", "steps", "frontier", "announced"):
        with tinysearch.open(name, data="digits") as study:
            assert study.best.val_accuracy is not None
    with tinysearch.open("first", data="digits") as study:
        assert len([one for one in study.records if (one.purpose, one.origin) == ("search", "search")]) == 6


def test_it_has_an_example_of_each_object_of_the_package(page: str) -> None:
    code = "".join(re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL))
    elsewhere = {"Cost", "Frontier", "InputError", "Objective", "Reading", "Result", "WorkError"}
    elsewhere |= {"executors", "keras_tuner", "testing"}
    named = {name for name in tinysearch.__all__ if f"tinysearch.{name}" in code}
    assert set(tinysearch.__all__) - named == elsewhere


def test_its_links_lead_somewhere(page: str) -> None:
    headings = re.findall(r"^## (.+)$", page, re.MULTILINE)
    anchors = {f"#{re.sub(r'[^a-z0-9 -]', '', one.lower()).replace(' ', '-')}" for one in headings}
    for link in re.findall(r"\]\(([^)]+)\)", page):
        assert link in anchors or (PAGE.parent / link).is_file(), link


def test_its_table_of_arguments_is_that_of_today(page: str) -> None:
    made = runpy.run_path(str(ROOT / "tools" / "settings.py"))
    assert page == made["page"](page), "python tools/settings.py writes it anew"
    assert "| `trials` | `20` | `int` |" in page
