from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import SpaceError
from tinysearch.space.space_file import format_note, read_spec
from tinysearch.space.space_spec import current


@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_file_holds_what_narrows_the_space(start: str, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text(start + '{"format": 2, "filters": [8, 16]}', encoding="utf-8")
    assert read_spec(path) == {"format": 2, "filters": [8, 16]}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]", "list"),
        ("{", "is not a JSON file"),
        ('{"format": 2, "filters": [8], "filters": [16]}', "'filters' occurs twice"),
        ('{"format": 2, "kernels": {"3x3": 5, "3x3": 1}}', "'3x3' occurs twice"),
        ('{"format": 2, "filters": [0]}', "filters has no option 0"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_refused(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SpaceError, match=words):
        read_spec(path)


@pytest.mark.parametrize(
    "spec",
    [
        {"depth": [2, 6], "filters": [8, 32, 16], "kinds": ["conv"], "kernels": [["3x3", 5], ["5x5", 1]]},
        {"filters": [8, 32]},
        {"kinds": ["conv"]},
    ],
)
def test_the_note_on_an_old_file_shows_a_new_one_that_says_the_same(spec: dict[str, Any]) -> None:
    note = format_note(spec, "device.json")
    _, _, new = note.partition("\n")
    assert note.startswith('device.json has no "format": 2')
    assert json.loads(new)["format"] == 2
    assert current(json.loads(new)) == current(spec)
    assert ("filters [8, 32" in note) == ("filters" in spec)
    assert max(map(len, new.splitlines())) <= 100
