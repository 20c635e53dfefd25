from __future__ import annotations

import subprocess
import sys

import pytest

from tinysearch.cli.archives import import_
from tinysearch.cli.documentation import documentation


def test_the_documentation_of_a_command_is_in_its_source_where_python_dropped_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said = documentation(import_)
    monkeypatch.setattr(import_, "__doc__", None)
    assert said is not None
    assert said.startswith("Add runs of an archive to the store")
    assert documentation(import_) == said


def test_what_has_no_source_has_no_documentation() -> None:
    assert documentation(eval("lambda: None")) is None  # noqa: S307


def test_python_without_docstrings_gives_the_same_help_and_the_same_leaderboard() -> None:
    """``python -OO`` drops docstrings and assertions."""
    code = """
import sys
from tinysearch.cli.app import main
for words in (["--help"], ["run", "--help"], ["import", "--help"], ["leaderboard", "--reference", "--top", "3"]):
    sys.argv = ["tinysearch", *words]
    try:
        main()
    except SystemExit as ending:
        print(ending.code)
"""
    usual, bare = (
        subprocess.run([sys.executable, *flags, "-c", code], capture_output=True, text=True, check=True).stdout
        for flags in ([], ["-OO"])
    )
    assert "Search for the best network below a budget" in bare
    assert bare == usual
