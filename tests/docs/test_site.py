"""The documentation as a site."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Loaded by a page, other than links that a person follows.
LOADED = re.compile(r"""(?:src=|<link [^>]*href=|url\(|@import )["']?(https?://[^"')\s>]+)""")


@pytest.fixture(scope="module")
def site(needs: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site, where a warning is an error."""
    needs(importlib.util.find_spec("mkdocs"), "MkDocs", "pip install 'tinysearch[docs]'")
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_every_page_is_on_the_site_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = {path.relative_to(ROOT / "docs").with_suffix(".html") for path in (ROOT / "docs").rglob("*.md")}
    assert all((site / page).is_file() for page in pages)
    for path in site.rglob("*.html"):
        assert LOADED.findall(path.read_text(encoding="utf-8")) == [], path


@pytest.mark.slow
def test_the_reference_is_made_of_docstrings_with_their_examples_as_code(site: Path) -> None:
    text = re.sub(r"<[^>]+>", "", (site / "api.html").read_text(encoding="utf-8"))
    for name in ("Study", "Budget", "SearchSpace", "BudgetOracle", "check_strategy", "open_study"):
        assert name in text
    assert "doctest:" not in text
    assert "&gt;&gt;&gt; " in text
