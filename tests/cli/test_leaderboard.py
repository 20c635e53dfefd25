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


# Metrics


@pytest.fixture
def measured(tmp_path: Path, make_record: MakeRecord) -> None:
    """Fill the store with a run by macro F1 and one by accuracy on one dataset."""
    (tmp_path / "store.db").unlink()
    with Store(tmp_path / "store.db", create=True) as store:
        for run, objective in (("macro", "macro_f1"), ("plain", "accuracy")):
            store.create_run(run, "toy", "0" * 16, {"trials": 2, "objective": objective, "direction": "max"})
        points = (("aaa", "macro", 0.95, 0.49), ("bbb", "macro", 0.90, 0.85), ("ccc", "plain", 0.94, 0.60))
        for key, run, accuracy, macro in points:
            record = make_record(key, run=run, val_accuracy=accuracy, metrics={"macro_f1": macro})
            store.append(record)
            again = {"purpose": "evaluation", "test_accuracy": accuracy - 0.01, "test_fingerprint": "f" * 16}
            again["test_metrics"] = {"macro_f1": macro - 0.01}
            for seed in (0, 1):
                store.append(make_record(key, run=run, val_accuracy=None, seed=seed, **again))
        store.append(make_record("ddd", run="plain", val_accuracy=0.5))


def test_one_run_is_ranked_by_its_objective_which_stands_first_and_is_named(light: Tinysearch, measured: None) -> None:
    rows = json.loads(light("leaderboard", "macro", "--format", "json").stdout)
    assert [(row["key"], row["metric"], row["val_metric"], row["val_accuracy"]) for row in rows] == [
        ("bbb", "macro_f1", 0.85, 0.9),
        ("aaa", "macro_f1", 0.49, 0.95),
    ]
    assert rows[0]["test_metric_mean"] == pytest.approx(0.84)
    assert rows[0]["test_metric_std"] == pytest.approx(0.0)
    assert rows[0]["test_accuracy_mean"] == pytest.approx(0.89)
    lines = light("leaderboard", "macro", COLUMNS="250").stdout.splitlines()
    titles = lines[1]
    assert 0 < titles.index("validation macro F1") < titles.index("test macro F1") < titles.index("validation  ")
    assert "85.00 %" in lines[2]
    assert "84.00 ± 0.00 % (n=2)" in lines[2]
    assert any("Pareto front of parameters and validation macro F1" in line for line in lines)


def test_what_was_reproduced_is_ranked_by_the_objective_of_the_search_beside_it(
    light: Tinysearch, measured: None, tmp_path: Path, make_record: MakeRecord
) -> None:
    with Store(tmp_path / "store.db") as store:
        store.create_run("again", "toy", "0" * 16, {"kind": "reproduce"})
        again = {"purpose": "evaluation", "origin": "baseline", "name": "baseline:conv", "run": "again"}
        again |= {"test_accuracy": 0.9, "test_fingerprint": "f" * 16, "test_metrics": {"macro_f1": 0.7}}
        store.append(make_record("eee", val_accuracy=0.97, metrics={"macro_f1": 0.6}, **again))
    rows = json.loads(light("leaderboard", "macro", "again", "--format", "json").stdout)
    assert [(row["key"], row["val_metric"], row["test_metric_mean"]) for row in rows] == [
        ("bbb", 0.85, pytest.approx(0.84)),
        ("eee", 0.6, 0.7),
        ("aaa", 0.49, pytest.approx(0.48)),
    ]


def test_where_space_is_short_the_objective_stays_and_accuracy_goes(light: Tinysearch, measured: None) -> None:
    text = light("leaderboard", "macro", COLUMNS="70").stdout
    assert "validation macro F1" in text
    assert "85.00 %" in text
    assert "90.00 %" not in text


def test_runs_with_different_objectives_are_ranked_by_accuracy_and_that_is_said(
    light: Tinysearch, measured: None
) -> None:
    done = light("leaderboard", COLUMNS="250")
    said = "ranked by accuracy, because the runs have different objectives: accuracy, macro_f1; choose with --metric"
    assert said in done.stdout
    assert "validation macro F1" not in done.stdout
    assert keys(light("leaderboard", "--format", "json")) == ["aaa", "ccc", "bbb", "ddd"]
    assert "different objectives: accuracy, macro_f1" in light("leaderboard", "--format", "markdown").stdout


@pytest.mark.parametrize("option", ["--metric", "--objective"])
def test_a_metric_that_is_named_ranks_all_runs_and_what_was_not_measured_comes_last(
    light: Tinysearch, measured: None, option: str
) -> None:
    rows = json.loads(light("leaderboard", option, "macro_f1", "--format", "json").stdout)
    assert [(row["rank"], row["key"], row["val_metric"]) for row in rows] == [
        (1, "bbb", 0.85),
        (2, "ccc", 0.6),
        (3, "aaa", 0.49),
        (4, "ddd", None),
    ]
    assert "different objectives" not in light("leaderboard", option, "macro_f1").stdout
    assert keys(light("leaderboard", "macro", option, "accuracy", "--format", "json")) == ["aaa", "bbb"]
    assert keys(light("leaderboard", option, "macro_f1", "--sort", "val_accuracy", "--format", "json")) == [
        "aaa",
        "ccc",
        "bbb",
        "ddd",
    ]


def test_markdown_has_columns_of_the_metric(light: Tinysearch, measured: None) -> None:
    lines = light("leaderboard", "macro", "--format", "markdown").stdout.splitlines()
    assert "| validation macro F1 | test macro F1 ± std (seeds) | validation | test ± std (seeds) |" in lines[2]
    assert len({line.count("|") for line in lines[2:6]}) == 1
    assert "| 85.00 % | 84.00 ± 0.00 % (n=2) | 90.00 % | 89.00 ± 0.00 % (n=2) |" in lines[4]


def test_an_unknown_metric_is_refused_with_the_known_ones(light: Tinysearch, measured: None) -> None:
    done = light("leaderboard", "--metric", "recall")
    assert (done.returncode, done.stdout) == (2, "")
    assert "accuracy, balanced_accuracy, macro_f1; got 'recall'" in done.stderr
