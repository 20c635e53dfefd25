from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.errors import RunError, StoreError
from tinysearch.results.archive import open_to_read, read, write
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.results.store import Store

MakeRecord = Callable[..., Record]


@pytest.fixture
def full(tmp_path: Path, make_record: MakeRecord) -> Path:
    """Return a store with two runs: trainings, a failure, an evaluation, and what was reused."""
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        for name in ("first", "<second>"):
            store.create_run(name, "toy", "0123456789abcdef", {"trials": 2, "recipe": {"epochs": 2}})
        store.append(make_record("a", trial=0, position=0, earlier=(0.5,), rejections={"params": 3}))
        store.append(make_record("b", trial=1, position=1, failure="no memory"))
        store.append(make_record("a", trial=None, purpose="evaluation", test_accuracy=0.8, test_fingerprint="f" * 16))
        store.append(make_record("a", run="<second>", position=0, reused_from="first"))
        store.note_rejections("first", {"duplicate": 1})
        store.finish("first")
    return path


def test_what_is_read_is_what_was_written(full: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.jsonl"
    with Store(full) as store:
        assert write(store, ["first", "<second>"], archive) == 4
        with read(archive) as again:
            assert again.runs() == store.runs()
            assert again.records() == store.records()
            assert rank(again.summaries()) == rank(store.records())
            assert again.find("a") == store.find("a")


def test_only_the_runs_that_were_asked_for_are_written(full: Path, tmp_path: Path) -> None:
    archive = tmp_path / "one.jsonl"
    with Store(full) as store:
        assert write(store, ["<second>"], archive) == 1
        with pytest.raises(RunError, match="third"):
            write(store, ["third"], archive)
    with read(archive) as again:
        assert [run.name for run in again.runs()] == ["<second>"]


def test_an_archive_is_opened_by_its_ending(full: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.jsonl"
    with Store(full) as store:
        write(store, ["first"], archive)
    for path, runs in ((archive, 1), (full, 2)):
        with open_to_read(path) as opened:
            assert len(opened.runs()) == runs


def test_what_a_store_in_memory_takes_is_not_kept(full: Path, tmp_path: Path, make_record: MakeRecord) -> None:
    archive = tmp_path / "all.jsonl"
    with Store(full) as store:
        write(store, ["first"], archive)
    before = archive.read_bytes()
    with read(archive) as opened:
        opened.append(make_record("c"))
        assert len(opened.records()) == 4
    assert archive.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"all.jsonl", "store.db"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        "{}",
        '{"format": "another", "version": 1}',
        '{"format": "tinysearch archive", "version": 99}',
        '{"format": "tinysearch archive", "version": 1}\n{"what": 1}',
        '{"format": "tinysearch archive", "version": 1}\n{"run": {"name": "a"}}',
        '{"format": "tinysearch archive", "version": 1}\n{"record": {"architecture": {}}}',
    ],
)
def test_a_file_that_is_no_archive_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(text)
    with pytest.raises(StoreError, match=r"bad\.jsonl"):
        read(path)


def test_a_file_that_is_missing_or_no_text_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"none.jsonl.*No such file"):
        read(tmp_path / "none.jsonl")
    (tmp_path / "bytes.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(StoreError, match=r"bytes.jsonl"):
        read(tmp_path / "bytes.jsonl")


def test_a_line_is_a_run_or_a_record_and_can_be_read_by_other_tools(full: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.jsonl"
    with Store(full) as store:
        write(store, ["first"], archive)
    first, run, *records = map(json.loads, archive.read_text().splitlines())
    assert first == {"format": "tinysearch archive", "version": 4}
    assert run["run"]["name"] == "first"
    assert [line["record"]["key"] for line in records] == ["a", "b", "a"]


def test_metrics_and_objectives_are_in_an_archive(tmp_path: Path, make_record: MakeRecord) -> None:
    archive = tmp_path / "metrics.jsonl"
    with Store(tmp_path / "store.db", create=True) as store:
        settings = {"trials": 2, "objective": "macro_f1", "direction": "max"}
        store.create_run("macro", "toy", "0123456789abcdef", settings)
        store.append(make_record("a", run="macro", earlier=(0.5,), metrics={"macro_f1": 1 / 3, "mine:Cost": 12.5}))
        tested = {"test_accuracy": 0.8, "test_fingerprint": "f" * 16, "test_metrics": {"macro_f1": 2 / 3}}
        store.append(make_record("a", run="macro", purpose="evaluation", **tested))
        write(store, ["macro"], archive)
        with read(archive) as again:
            assert again.records() == store.records()
            assert again.summaries() == store.summaries()
            (row,) = rank(again.summaries()).rows
    assert (row.metric, row.val_metric, row.test_metric_mean) == ("macro_f1", 1 / 3, 2 / 3)
    assert "objective" not in json.loads(archive.read_text(encoding="utf-8").splitlines()[2])["record"]
