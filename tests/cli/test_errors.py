"""Every error is one short paragraph on stderr that names the value, and an exit code."""

from __future__ import annotations

import io
import json
import re
import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from rich.console import Console

from tinysearch.cli import reporting
from tinysearch.errors import RunError
from tinysearch.results.record import Record
from tinysearch.results.schema import MIGRATIONS
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


def assert_refused(done: subprocess.CompletedProcess[str], *words: str, code: int = 2) -> None:
    """Assert that a command ended with one short paragraph that has all of some words, and printed no data."""
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "\x1b" not in done.stderr
    assert len(done.stderr) < 800
    assert len(done.stderr.strip().splitlines()) == 1
    for word in words:
        assert word in done.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--budget", "0"], ["budget", "0"]),
        (["--budget", "-1"], ["budget", "-1"]),
        (["--budget", "5"], ["budget of 5", "smallest"]),
        (["--max-macs", "0"], ["macs", "0"]),
        (["--max-memory", "-3"], ["--max-ram", "-3"]),
        (["--trials", "-1"], ["trials", "-1"]),
        (["--epochs", "0"], ["epochs", "0"]),
        (["--seed", "-7"], ["seed", "-7"]),
        (["--strategy", "luck"], ["'luck'", "evolution", "random"]),
        (["--recipe", "soup"], ["'soup'", "default", "documented"]),
        (["--dataset", "cats"], ["'cats'", "auto", "mnist", "digits"]),
        (["--time-limit", "5x"], ["'5x'", "90s"]),
        (["--time-limit", "0s"], ["'0s'", "90s"]),
        (["--resume"], ["there is no store"]),
        (["--resume", "--name", "ghost"], ["there is no store"]),
    ],
    ids=lambda value: " ".join(value) if str(value).startswith("['--") else "",
)
def test_options_of_run_that_cannot_be_used(
    light: Tinysearch, tiny: Path, options: list[str], words: list[str]
) -> None:
    assert_refused(light("run", "--data", tiny, *options), *words)


@pytest.mark.parametrize("option", ["--budget", "--trials", "--epochs", "--seed"])
def test_what_should_be_a_number_and_is_none(light: Tinysearch, option: str) -> None:
    done = light("run", option, "abc")
    assert done.returncode == 2
    assert done.stdout == ""
    assert option in done.stderr
    assert "'abc' is not a whole number" in done.stderr


def test_a_name_that_is_taken(light: Tinysearch, tiny: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("mine", "toy", "0123456789abcdef", {})
    assert_refused(light("run", "--data", tiny, "--name", "mine"), "'mine'", "--resume")


def test_a_reproduction_cannot_be_resumed_as_a_search(light: Tinysearch, tiny: Path, tmp_path: Path) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("reproduce-tiny", "tiny", "0123456789abcdef", {"kind": "reproduce", "recipe": {}})
    done = light("run", "--data", tiny, "--name", "reproduce-tiny", "--resume")
    assert_refused(done, "reproduce-tiny")


@pytest.mark.parametrize("command", ["run", "reproduce"])
@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path, _: path.write_bytes(path.read_bytes()[:5_000]), []),
        (lambda path, _: path.write_bytes(b""), []),
        (lambda path, _: path.write_bytes(b"PK\x03\x04 and then nothing of the kind"), []),
        (lambda path, _: path.unlink(), ["no file"]),
        (lambda path, arrays: np.savez(path, **{**arrays, "x_train": np.array([None] * 60)}), ["object"]),
        (lambda path, arrays: np.savez(path, **{**arrays, "x_train": np.full((60, 28, 28), np.nan)}), ["NaN"]),
        (lambda path, arrays: np.savez(path, **{**arrays, "y_train": arrays["y_train"][:59]}), ["(59,)", "60"]),
        (lambda path, arrays: np.savez(path, **{**arrays, "y_train": np.full(60, -1)}), ["-1"]),
        (lambda path, arrays: np.savez(path, **{**arrays, "y_train": np.full(60, 0.5)}), ["fractions", "0.5"]),
        (
            lambda path, arrays: np.savez(path, **{**arrays, "y_train": arrays["y_train"] * 2}),
            ["'1'", "no training image"],
        ),
        (lambda path, arrays: np.savez(path, **{**arrays, "x_train": arrays["x_train"][:0]}), []),
        (lambda path, arrays: np.savez(path, images=arrays["x_train"]), ["x_train", "images"]),
        (lambda path, _: np.save(path, np.zeros(3)) or path.with_suffix(".npz.npy").replace(path), []),
    ],
    ids=[
        "truncated",
        "empty",
        "no archive",
        "missing",
        "object array",
        "NaN",
        "too few labels",
        "negative labels",
        "fractional labels",
        "labels with gaps",
        "no images",
        "other names",
        "a single array",
    ],
)
def test_data_that_cannot_be_trusted(
    light: Tinysearch,
    tmp_path: Path,
    tiny_arrays: dict[str, np.ndarray],
    command: str,
    damage: Callable[[Path, dict[str, np.ndarray]], object],
    words: list[str],
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **tiny_arrays)
    damage(path, tiny_arrays)
    assert_refused(light(command, "--data", "mine.npz"), "mine", *words)


def test_a_file_that_is_not_what_it_is_called(light: Tinysearch, tiny: Path) -> None:
    assert_refused(light("run", "--dataset", "mnist", "--data", tiny), "tiny.npz", "MNIST")


def test_a_variable_that_names_no_data(light: Tinysearch) -> None:
    assert_refused(light("run", TINYSEARCH_DATA="nowhere"), "TINYSEARCH_DATA", "'nowhere'")


@pytest.mark.parametrize("command", [["run", "--dataset", "digits"], ["leaderboard"], ["show", "abc"], ["cost", "abc"]])
def test_a_store_below_a_file(light: Tinysearch, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("")
    where = tmp_path / "file" / "store.db"
    assert_refused(light(*command, "--store", where), str(where), "--store")


@pytest.mark.parametrize("command", [["run", "--dataset", "digits"], ["leaderboard"], ["show", "abc"], ["cost", "abc"]])
def test_a_store_that_is_none(light: Tinysearch, tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "notes.txt").write_text("dear diary, " * 100)
    assert_refused(light(*command, "--store", "notes.txt"), "notes.txt", "--store")


@pytest.mark.parametrize("command", [["leaderboard"], ["show", "abc"], ["cost", "abc"]])
def test_a_store_that_is_missing(light: Tinysearch, tmp_path: Path, command: list[str]) -> None:
    assert_refused(light(*command), "store.db", "--store")
    assert list(tmp_path.iterdir()) == []


def test_a_store_of_a_newer_schema(light: Tinysearch, tmp_path: Path) -> None:
    newer = len(MIGRATIONS) + 1
    connection = sqlite3.connect(tmp_path / "store.db")
    connection.execute(f"PRAGMA user_version = {newer}")
    connection.close()
    assert_refused(light("leaderboard"), f"version {newer}", "upgrade")


def test_a_leaderboard_that_cannot_be_written(light: Tinysearch, tmp_path: Path) -> None:
    Store(tmp_path / "store.db", create=True).close()
    assert_refused(light("leaderboard", "-o", tmp_path / "no" / "where.md"), "where.md", "-o")


@pytest.mark.parametrize(
    "words",
    [["leaderboard", "--format", "yaml"], ["leaderboard", "--sort", "beauty"], ["cost", "x", "--format", "csv"]],
)
def test_an_unknown_format_or_order_is_named_beside_the_known_ones(light: Tinysearch, words: list[str]) -> None:
    done = light(*words)
    assert done.returncode == 2
    assert f"'{words[-1]}'" in done.stderr
    assert re.search(r"\btable\b|'params'", done.stderr)


@pytest.mark.parametrize("command", ["show", "cost"])
def test_candidates_that_do_not_exist(
    light: Tinysearch, tmp_path: Path, make_record: Callable[..., Record], command: str
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        store.append(make_record("abc1"))
        store.append(make_record("abc2"))
    assert_refused(light(command, "fff"), "'fff'", "baseline:conv")
    assert_refused(light(command, "abc"), "'abc'", "abc1", "abc2")
    assert_refused(light(command, "baseline:resnet"), "'resnet'", "conv, separable, inception")


def test_a_documented_model_that_does_not_exist_is_not_reproduced(light: Tinysearch, tiny: Path) -> None:
    assert_refused(light("reproduce", "resnet", "--data", tiny), "'resnet'", "conv, separable, inception")


@pytest.mark.parametrize("options", [["--recipe", "soup"], ["--epochs", "0"], ["--plateau-factor", "0.5"]])
def test_recipes_of_reproduce_that_cannot_be_used(light: Tinysearch, tiny: Path, options: list[str]) -> None:
    assert_refused(light("reproduce", "conv", "--data", tiny, *options), options[1])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{'layers': []}", ["not JSON"]),
        ("", ["not JSON"]),
        ("[]", ["object"]),
        ("{}", ["layers"]),
        ('{"layers": []}', ["at least one layer"]),
        ('{"layers": [{"kind": "magic"}]}', ["'magic'", "conv"]),
        ('{"layers": [{"kind": "conv"}]}', ["filters"]),
        ('{"layers": [{"kind": "conv", "filters": 0}]}', ["filters", "0"]),
        ('{"layers": [{"kind": "conv", "filters": 2, "colour": "red"}]}', ["'colour'", "filters"]),
        ('{"layers": [{"kind": "conv", "filters": "many"}]}', ["'many'"]),
        (json.dumps({"layers": [{"kind": "pool", "size": 11}] * 3}), ["window"]),
    ],
)
def test_files_that_hold_no_architecture(light: Tinysearch, tmp_path: Path, text: str, words: list[str]) -> None:
    (tmp_path / "mine.json").write_text(text)
    assert_refused(light("cost", "mine.json"), *words)


@pytest.mark.parametrize("name", ["missing.json", "folder.json"])
def test_files_that_cannot_be_read(light: Tinysearch, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.json").mkdir()
    assert_refused(light("cost", name), name)


def test_bytes_that_are_no_text_are_no_architecture(light: Tinysearch, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_bytes(b"\xff\xfe\x00")
    assert_refused(light("cost", "mine.json"), "mine.json")


@pytest.mark.parametrize("budget", ["0", "-1"])
def test_budgets_of_space_that_cannot_be_used(light: Tinysearch, budget: str) -> None:
    assert_refused(light("space", "--budget", budget), "budget", budget)


def test_debug_shows_the_traceback(light: Tinysearch, monkeypatch: pytest.MonkeyPatch) -> None:
    # It is set in this process; the next test has it as it was.
    monkeypatch.setattr(reporting.Debug, "wanted", False)
    done = light("--debug", "cost", "baseline:resnet")
    assert done.returncode != 0
    assert "Traceback" in done.stderr
    assert re.search(r"CandidateError: .*'resnet'", done.stderr)


@pytest.mark.parametrize("columns", ["wide", "0", "-3"])
def test_a_width_that_makes_no_sense_does_not_hide_the_output(light: Tinysearch, columns: str) -> None:
    done = light("cost", "baseline:conv", COLUMNS=columns)
    assert "Traceback" not in done.stderr
    assert "8,640" in done.stdout


def test_an_unknown_command_is_named(light: Tinysearch) -> None:
    done = light("serach")
    assert done.returncode == 2
    assert "'serach'" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_list_that_was_written_with_spaces_is_told_how_lists_are_written(light: Tinysearch) -> None:
    done = light("frontier", "--budgets", "1000", "3000")
    assert done.returncode == 2
    assert "unexpected extra argument(s) (3000); separate the items of a list by commas, as in 1000,3000" in done.stderr


def test_an_unknown_choice_is_refused_in_plain_words(light: Tinysearch) -> None:
    done = light("leaderboard", "--sort", "size")
    assert done.returncode == 2
    assert "Invalid value for '--sort': 'size' is not one of 'rank', 'val_accuracy'" in done.stderr


@pytest.mark.parametrize("terminal", [True, False])
def test_on_a_terminal_an_error_is_broken_between_words(terminal: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr(reporting, "stderr", lambda: Console(file=out, width=40, force_terminal=terminal))
    path = f"/{'long/' * 9}name"
    text = f"there is no folder {path} of images where this was told to look; make one"

    @reporting.reported
    def command() -> None:
        raise RunError(text)

    with pytest.raises(typer.Exit):
        command()
    lines = out.getvalue().splitlines()
    assert [word for line in lines for word in line.split()] == ["error:", *text.split()]
    assert len(lines) == (4 if terminal else 1)
    assert max(map(len, lines)) == (len(path) if terminal else len("error: " + text))
