from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]
MakeRecord = Callable[..., Record]


@pytest.fixture(autouse=True)
def store(three_runs: Path, make_record: Callable[..., Record]) -> Path:
    """Fill the store with candidates."""
    with Store(three_runs) as store:
        store.append(make_record("aaa", run="one", val_accuracy=0.7, params=500))
        store.append(make_record("bbb", run="one", val_accuracy=0.6, params=600))
        store.append(make_record("ccc", run="two", val_accuracy=0.8, params=900))
        store.append(make_record("eee", run="two", failure="loss was nan"))
        name = "baseline:conv"
        store.append(make_record("ddd", run="three", name=name, origin="baseline", trial=None, val_accuracy=0.9))
    return three_runs


def keys(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert (done.returncode, done.stderr) == (0, "")
    return [row["key"] for row in json.loads(done.stdout)]


def test_all_runs_are_ranked_each_dataset_apart(light: Tinysearch) -> None:
    rows = json.loads(light("leaderboard", "--format", "json").stdout)
    assert [(row["dataset"], row["rank"], row["key"]) for row in rows] == [
        ("toy", 1, "ccc"),
        ("toy", 2, "aaa"),
        ("toy", 3, "bbb"),
        ("other", 1, "ddd"),
    ]


def test_named_runs_alone_are_ranked(light: Tinysearch) -> None:
    assert keys(light("leaderboard", "one", "--format", "json")) == ["aaa", "bbb"]
    assert keys(light("leaderboard", "three", "one", "--format", "json")) == ["aaa", "bbb", "ddd"]


def test_one_dataset_alone_is_ranked(light: Tinysearch) -> None:
    assert keys(light("leaderboard", "--dataset", "other", "--format", "json")) == ["ddd"]


def test_rows_are_sorted_as_asked(light: Tinysearch) -> None:
    assert keys(light("leaderboard", "one", "two", "--sort", "params", "--format", "json")) == ["aaa", "bbb", "ccc"]


def test_the_pareto_front_alone_is_shown(light: Tinysearch) -> None:
    assert keys(light("leaderboard", "one", "two", "--pareto", "--format", "json")) == ["ccc", "aaa"]


def test_the_best_few_alone_are_shown_and_the_rest_is_counted(light: Tinysearch) -> None:
    everything = json.loads(light("leaderboard", "--format", "json").stdout)
    few = json.loads(light("leaderboard", "--format", "json", "--top", 1).stdout)
    best = {row["dataset"]: row["key"] for row in reversed(everything)}
    assert {row["key"] for row in few if row["origin"] != "baseline"} <= set(best.values())
    left_out = len(everything) - len(few)
    assert left_out > 0
    assert f"{left_out} more candidates are not shown" in light("leaderboard", "--top", 1).stdout


def test_csv_and_json_tell_the_same(light: Tinysearch) -> None:
    rows = list(csv.DictReader(io.StringIO(light("leaderboard", "--format", "csv").stdout)))
    same = json.loads(light("leaderboard", "--format", "json").stdout)
    assert [row["key"] for row in rows] == [row["key"] for row in same]
    assert [list(row) for row in rows] == [list(row) for row in same]
    assert [float(row["val_accuracy"]) for row in rows] == [row["val_accuracy"] for row in same]


@pytest.mark.parametrize("format", ["table", "json", "csv", "markdown"])
def test_what_goes_to_a_file_is_what_would_be_printed(light: Tinysearch, tmp_path: Path, format: str) -> None:  # noqa: A002
    printed = light("leaderboard", "--format", format)
    written = light("leaderboard", "--format", format, "-o", "board.txt")
    assert written.returncode == 0
    assert written.stdout == ""
    assert "board.txt" in written.stderr
    assert (tmp_path / "board.txt").read_text(encoding="utf-8") == printed.stdout


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_table_fits_the_columns_and_marks_the_baselines(light: Tinysearch, columns: str) -> None:
    done = light("leaderboard", COLUMNS=columns)
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert "\x1b" not in done.stdout
    for word in ("toy", "other", "baseline:conv", "80.00 %", "1 failed"):
        assert word in done.stdout


def test_an_empty_store_has_an_empty_board(light: Tinysearch, tmp_path: Path) -> None:
    Store(tmp_path / "new.db", create=True).close()
    done = light("leaderboard", "--store", "new.db")
    assert (done.returncode, done.stderr) == (0, "")
    assert "No candidate" in done.stdout
    assert keys(light("leaderboard", "--store", "new.db", "--format", "json")) == []


def test_the_option_wins_over_the_environment(light: Tinysearch, store: Path) -> None:
    done = light("leaderboard", "--store", store, "--format", "json", TINYSEARCH_STORE="nowhere.db")
    assert len(keys(done)) == 4


def test_an_unknown_run_is_an_error_that_lists_the_known_ones(light: Tinysearch) -> None:
    done = light("leaderboard", "four")
    assert done.returncode == 2
    assert "'four'" in done.stderr
    assert "one, two, three" in done.stderr


def test_an_unknown_dataset_is_an_error_that_lists_the_known_ones(light: Tinysearch) -> None:
    done = light("leaderboard", "--dataset", "cats")
    assert done.returncode == 2
    assert "'cats'" in done.stderr
    assert "other, toy" in done.stderr


def test_a_reader_that_leaves_early_is_no_error(
    prepare: Callable[..., dict[str, object]], tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    with Store(tmp_path / "store.db") as store:
        for index in range(400):
            store.append(make_record(f"{index:012d}", run="one"))
    process = subprocess.Popen(
        **prepare(tmp_path, "leaderboard", "--format", "json"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )  # type: ignore[call-overload]
    assert process.stdout.readline() == "[\n"
    process.stdout.close()
    assert process.stderr.read() == ""
    process.stderr.close()
    assert process.wait() == 0


def test_only_what_was_tested_is_shown_if_asked(light: Tinysearch, store: Path, make_record: MakeRecord) -> None:
    with Store(store) as opened:
        opened.append(make_record("bbb", run="one", trial=None, purpose="evaluation", test_accuracy=0.5))
    assert keys(light("leaderboard", "--tested", "--format", "json")) == ["bbb"]


def test_two_places_to_read_from_are_one_too_many(light: Tinysearch, store: Path) -> None:
    done = light("leaderboard", "--reference", "--store", store)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--reference" in done.stderr
