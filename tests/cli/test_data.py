from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.cli.sources import size
from tinysearch.cli.spelling import spelled
from tinysearch.data.readers.reader import Reading
from tinysearch.data.source import Source


def save(path: Path, **changes: Any) -> Path:
    rng = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in (("train", 60), ("test", 30)):
        arrays[f"x_{part}"] = rng.integers(0, 256, (count, 6, 5), np.uint8)
        arrays[f"y_{part}"] = np.array(["cat", "dog"])[np.arange(count) % 2]
    np.savez(path, **{**arrays, **changes})
    return path


def test_data_prints_what_was_understood_without_tensorflow(light: Any, tmp_path: Path) -> None:
    done = light("data", save(tmp_path / "zoo.npz"))
    assert done.returncode == 0, done.stderr
    for text in (
        "zoo from the file zoo.npz",
        "6x5x1, uint8",
        "texts: 2 classes",
        "cat",
        "train 54, validation 6, test 30",
    ):
        assert text in done.stdout


def test_data_as_json_is_one_object(light: Any, tmp_path: Path) -> None:
    done = light("data", save(tmp_path / "zoo.npz"), "--format", "json")
    found = json.loads(done.stdout)
    assert (found["classes"], found["parts"]["test"]["counts"]) == (["cat", "dog"], [15, 15])


def test_errors_in_data_are_shown_and_end_with_2(light: Any, tmp_path: Path) -> None:
    done = light("data", save(tmp_path / "zoo.npz", x_test=np.zeros((30, 9, 9), np.uint8)))
    assert done.returncode == 2
    assert "error: the test images in zoo have shape (9, 9, 1)" in done.stdout
    done = light("data", tmp_path / "nothing.npz")
    assert (done.returncode, done.stdout) == (2, "")
    assert "there is no file" in done.stderr


def test_a_preview_is_saved(light: Any, tmp_path: Path) -> None:
    done = light("data", save(tmp_path / "zoo.npz"), "--preview", tmp_path / "sheet.png")
    assert done.returncode == 0
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")


def test_options_of_reading_decide_and_are_spelled_as_given(light: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "two.npz", x=rng.random((60, 40, 15)), y=np.arange(60) % 2, who=np.arange(60) // 3)
    assert light("data", tmp_path / "two.npz").returncode == 2
    done = light("data", tmp_path / "two.npz", "--layout", "tc", "--groups", "who")
    assert "40 steps x 15 channels" in done.stdout
    assert "20 groups" in done.stdout
    given = Source(path="two.npz", reading=Reading(size=size("8x9"), layout="hw", groups="who"))
    assert spelled(given.words) == "two.npz --size 8x9 --layout hw --groups who"
    assert "is not a size" in light("data", "digits", "--size", "big").stderr
