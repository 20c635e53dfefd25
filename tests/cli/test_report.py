from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.data.images import fingerprint
from tinysearch.data.loading import at_hand, load
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, tiny: Path, make_record: Callable[..., Record]) -> Path:
    """Fill the store with a candidate that was tested on the images of ``tiny.npz``, and with another run."""
    ((mark, images),) = at_hand(tiny).items()
    labels = np.arange(len(images)) % 10
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        for run in ("one", "two"):
            store.create_run(run, "toy", "0123456789abcdef", {"trials": 1, "strategy": "random"})
            store.append(make_record(f"key-{run}", run=run, position=0))
        given = {"purpose": "evaluation", "trial": None, "run": "one", "test_accuracy": 0.9, "test_fingerprint": mark}
        store.append(make_record("key-one", **given), Predictions.of(labels, np.zeros(len(images), int)))
    return path


def test_the_page_has_all_runs_or_those_that_are_named(light: Tinysearch, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    done = light("report", "-o", page)
    assert (done.returncode, done.stdout) == (0, "")
    assert "page.html" in done.stderr
    assert "key-two" in page.read_text(encoding="utf-8")
    assert light("report", "one", "-o", page).returncode == 0
    assert "key-two" not in page.read_text(encoding="utf-8")


def test_misclassified_images_are_shown_where_they_are_at_hand(
    light: Tinysearch, tmp_path: Path, tiny: Path, embedded: Callable[[str], Any]
) -> None:
    def drawn() -> set[bool]:
        (section,) = embedded((tmp_path / "page.html").read_text(encoding="utf-8"))["sections"]
        tests = [one["test"] for one in section["candidates"] if one["test"]]
        return {bool(mistake["pixels"]) for test in tests for mistake in test["mistakes"]}

    light("report", "-o", tmp_path / "page.html")
    assert drawn() == {False}
    done = light("report", "-o", tmp_path / "page.html", "--data", tiny)
    assert done.returncode == 0
    assert drawn() == {True}


def test_an_archive_is_reported_too(light: Tinysearch, tmp_path: Path) -> None:
    assert light("export", "-o", tmp_path / "all.jsonl").returncode == 0
    done = light("report", "--store", tmp_path / "all.jsonl", "-o", tmp_path / "page.html")
    assert done.returncode == 0
    assert "key-two" in (tmp_path / "page.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "words", [("nobody",), ("-o", "no/such/folder/page.html"), ("--data", "none.npz")], ids=" ".join
)
def test_what_cannot_be_reported_is_an_error_that_names_it(light: Tinysearch, words: tuple[str, ...]) -> None:
    done = light("report", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[-1] in done.stderr.replace("\n", "")


def test_a_file_that_is_given_as_a_run_is_pointed_to_the_store_option(light: Tinysearch, tmp_path: Path) -> None:
    assert light("export", "-o", tmp_path / "all.jsonl").returncode == 0
    done = light("report", tmp_path / "all.jsonl")
    assert done.returncode == 2
    assert "--store" in done.stderr


def test_digits_are_always_at_hand() -> None:
    digits = load("digits").test()
    found = at_hand(None, {"digits"})
    assert np.array_equal(found[fingerprint(digits)], digits.pixels)


def test_the_name_of_a_run_is_no_path(light: Tinysearch, tmp_path: Path, store: Path, make_record: Callable) -> None:
    with Store(store) as opened:
        opened.create_run("../../away", "toy", "0123456789abcdef", {"trials": 1})
        opened.append(make_record("evil", run="../../away", position=0))
    before = set(tmp_path.parent.iterdir())
    page = tmp_path / "page.html"
    assert light("report", "../../away", "-o", page).returncode == 0
    assert page.exists()
    assert set(tmp_path.parent.iterdir()) == before


def test_the_leaderboard_gives_the_same_page(light: Tinysearch) -> None:
    done = light("leaderboard", "one", "--format", "html")
    assert done.returncode == 0
    assert "key-one" in done.stdout
    assert "key-two" not in done.stdout
