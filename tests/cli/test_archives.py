"""Results are carried from one store to another."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def store(three_runs: Path, make_record: Callable[..., Record]) -> Path:
    """Fill the store with candidates."""
    with Store(three_runs) as store:
        store.append(make_record("aaa", run="one", earlier=(0.5,), val_accuracy=0.7))
        store.append(make_record("aaa", run="one", trial=None, purpose="evaluation", test_accuracy=0.6))
        store.append(make_record("ccc", run="two", val_accuracy=0.8))
        store.append(make_record("eee", run="two", failure="loss was nan"))
        store.append(make_record("ddd", run="three", val_accuracy=0.9))
    return three_runs


def keys(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [row["key"] for row in json.loads(done.stdout)]


def test_an_archive_shows_what_the_store_shows(light: Tinysearch, tmp_path: Path) -> None:
    archive = tmp_path / "all.jsonl"
    done = light("export", "-o", archive)
    assert (done.returncode, done.stdout) == (0, "")
    assert "5 records of 3 runs" in done.stderr
    for words in (("leaderboard",), ("leaderboard", "one"), ("show", "aaa"), ("cost", "ccc")):
        from_store, from_archive = light(*words), light(*words, "--store", archive)
        assert (from_archive.returncode, from_archive.stdout) == (0, from_store.stdout)


@pytest.mark.parametrize(
    "words", [("export",), ("leaderboard", "--format", "csv"), ("report",)], ids=["export", "leaderboard", "report"]
)
def test_the_name_of_a_file_is_said_as_it_is(light: Tinysearch, tmp_path: Path, words: tuple[str, ...]) -> None:
    output = tmp_path / "all[final].jsonl"
    assert str(output) in light(*words, "-o", output).stderr


def test_named_runs_alone_are_exported(light: Tinysearch, tmp_path: Path) -> None:
    archive = tmp_path / "one.jsonl"
    assert light("export", "three", "-o", archive).returncode == 0
    assert keys(light("leaderboard", "--store", archive, "--format", "json")) == ["ddd"]


@pytest.mark.parametrize(
    "words",
    [("nobody",), ("-o", "all.txt"), ("-o", "no/such/folder/all.jsonl"), ("--tensorboard", "logs", "-o", "all.jsonl")],
    ids=" ".join,
)
def test_what_cannot_be_exported_is_an_error_that_names_it(light: Tinysearch, words: tuple[str, ...]) -> None:
    done = light("export", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[-1] in done.stderr.replace("\n", "")


@pytest.fixture
def archive(light: Tinysearch, tmp_path: Path) -> Path:
    path = tmp_path / "all.jsonl"
    assert light("export", "-o", path).returncode == 0
    return path


def test_what_was_exported_can_be_imported_whole(light: Tinysearch, store: Path, archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    done = light("import", "--from", archive, "--store", other)
    assert (done.returncode, done.stdout) == (0, "")
    assert "5 records of 3 runs" in done.stderr
    with Store(store) as one, Store(other) as two:
        assert two.runs() == one.runs()
        assert two.records() == one.records()


def test_named_runs_alone_are_imported_beside_what_is_there(light: Tinysearch, archive: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    for run in ("three", "one"):
        assert light("import", run, "--from", archive, "--store", other).returncode == 0
    with Store(other) as opened:
        assert [run.name for run in opened.runs()] == ["three", "one"]
        assert {record.key for record in opened.records()} == {"aaa", "ddd"}


def test_reference_results_can_be_imported(light: Tinysearch, tmp_path: Path) -> None:
    other = tmp_path / "other.db"
    assert light("import", "mnist-10000-2", "--reference", "--store", other).returncode == 0
    assert len(keys(light("leaderboard", "--store", other, "--top", "0", "--format", "json"))) >= 20


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--from", "all.jsonl"), "'one'"),
        (("two", "--from", "all.jsonl"), "'two'"),
        (("nobody", "--from", "all.jsonl"), "'nobody'"),
        (("--from", "nothing.jsonl"), "nothing.jsonl"),
        (("--from", "store.db"), "store.db"),
        ((), "--from"),
        (("--reference", "--from", "all.jsonl"), "--from"),
    ],
    ids=str,
)
@pytest.mark.usefixtures("archive")
def test_what_cannot_be_imported_is_an_error_that_names_it(
    light: Tinysearch, store: Path, words: tuple[str, ...], named: str
) -> None:
    done = light("import", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert named in done.stderr.replace("\n", "")
    with Store(store) as opened:
        assert len(opened.records()) == 5
