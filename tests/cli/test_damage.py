"""Damaged stores and archives: what can be read is shown, what cannot is named, and nothing comes as a surprise."""

from __future__ import annotations

import contextlib
import gc
import json
import random
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from tinysearch.baselines.models import CONV
from tinysearch.cli.archives import export, import_
from tinysearch.cli.inspect import show
from tinysearch.cli.leaderboard import leaderboard
from tinysearch.cli.report import report
from tinysearch.cli.run import run as run_search
from tinysearch.data.loading import load
from tinysearch.results import archive
from tinysearch.results.predictions import Predictions
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.recipe import Recipe

MakeRecord = Callable[..., Record]
Run = Callable[..., tuple[int, str, str]]

COMMANDS: tuple[tuple[Callable[..., None], dict[str, Any]], ...] = (
    (leaderboard, {}),
    (show, {"candidate": "bbb"}),
    (report, {"output": Path("page.html")}),
    (export, {"output": Path("all.jsonl")}),
)


@pytest.fixture(scope="module")
def whole(make_record: MakeRecord, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a store with two runs: a baseline, trials, a failure, evaluations with predictions."""
    path = tmp_path_factory.mktemp("whole") / "whole.db"
    recipe = Recipe(epochs=2).to_dict()
    settings = {"budget": {"params": 10_000}, "trials": 2, "seed": 0, "lag": 1, "recipe": recipe}
    labels = np.arange(20) % 10
    common: dict[str, Any] = {"recipe": recipe, "provenance": {"python": "3.11", "threads": "1"}, "earlier": (0.5,)}
    conv: dict[str, Any] = {"name": "baseline:conv", "origin": "baseline", "architecture": CONV.architecture}
    conv["cost"] = cost(CONV.architecture, Task())
    with Store(path, create=True) as store:
        for run in ("first", "second"):
            store.create_run(run, "toy", "0123456789abcdef", settings)
        store.append(make_record("aaa", position=0, trial=None, **conv, **common))
        store.append(make_record("bbb", position=1, trial=0, rejections={"params": 3}, **common))
        store.append(make_record("ccc", position=2, trial=1, failure="out of memory", recipe=recipe))
        store.append(make_record("ddd", run="second", position=0, **common))
        for key, more in (("aaa", conv), ("bbb", {})):
            for seed in (0, 1):
                scored = {"purpose": "evaluation", "test_accuracy": 0.95, "test_fingerprint": "f" * 16}
                predicted = (labels + (np.arange(20) == seed)) % 10
                record = make_record(key, trial=None, seed=seed, **scored, **more, **common)
                store.append(record, Predictions.of(labels, predicted))
    return path


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Run]:
    """Return a function that runs a command in this process, and returns its exit code and what it said."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TINYSEARCH_DATA", raising=False)

    def call(command: Callable[..., None], **given: Any) -> tuple[int, str, str]:
        try:
            command(**given)
        except typer.Exit as ending:
            code = ending.exit_code
        else:
            code = 0
        said = capsys.readouterr()
        return code, said.out, said.err

    yield call
    # A leaderboard does without the garbage collector until its process ends.
    gc.enable()


@pytest.fixture
def damaged(whole: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that gives a copy of the store in which a statement was executed."""

    def copy(statement: str) -> Path:
        path = tmp_path / "damaged.db"
        path.write_bytes(whole.read_bytes())
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute(statement)
        connection.commit()
        connection.close()
        return path

    return copy


def mutated(whole: bytes, rng: random.Random) -> bytes:
    """Return bytes of which some are others: mostly of those that mean something, mostly few."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 8, 30))):
        place = rng.randrange(len(data))
        while data[place] == 0 and rng.random() < 0.95:
            place = rng.randrange(len(data))
        data[place] = rng.choice((rng.randrange(256), data[place] ^ 1 << rng.randrange(8), rng.choice(b'"{}[],:0e9')))
    return bytes(data)


@pytest.mark.parametrize("count", [40, pytest.param(1_000, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["store", "archive"])
def test_mutated_copies_end_without_a_surprise(kind: str, count: int, whole: Path, run: Run, tmp_path: Path) -> None:
    original = whole.read_bytes()
    path = tmp_path / ("mutated.db" if kind == "store" else "mutated.jsonl")
    if kind == "archive":
        with Store(whole) as store:
            archive.write(store, ["first", "second"], path)
        original = path.read_bytes()
    rng = random.Random(0)  # noqa: S311
    for _ in range(count):
        path.write_bytes(mutated(original, rng))
        for command, given in COMMANDS:
            if command is not export or kind == "store":
                code, _, said = run(command, store=path, **given)
                assert code in (0, 2), said
                assert "This error is unexpected" not in said
        for left in tmp_path.glob("mutated.db-*"):
            left.unlink()


# Each statement damages the trial bbb, which is record 2 of the run first.
DAMAGE = {
    "no JSON": "UPDATE details SET recipe = '{' || recipe WHERE record_id = 2",
    "no UTF-8": "UPDATE details SET measurement = CAST(X'7B22FF227D' AS TEXT) WHERE record_id = 2",
    "a missing field": "UPDATE details SET cost = replace(cost, '\"macs\"', '\"marcs\"') WHERE record_id = 2",
    "another layer": "UPDATE details SET architecture = replace(architecture, 'conv', 'corv') WHERE record_id = 2",
    "a figure out of range": "UPDATE details SET measurement = replace(measurement, '0.9', '9.0') WHERE record_id = 2",
    "half a character": 'UPDATE details SET provenance = \'{"commit": "\\ud800"}\' WHERE record_id = 2',
    "lost details": "DELETE FROM details WHERE record_id = 2",
}


@pytest.mark.parametrize("statement", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_record_is_named_and_the_others_are_shown(
    statement: str, damaged: Callable[[str], Path], run: Run, tmp_path: Path
) -> None:
    store = damaged(statement)
    for command, given in ((report, {"output": Path("page.html")}), (export, {"output": Path("all.jsonl")})):
        code, _, said = run(command, store=store, **given)
        assert code == 0
        assert said.count("note: ") == 1
        assert "record 2 of run 'first'" in said
    with archive.read(tmp_path / "all.jsonl") as kept:
        assert len(kept.records()) == 7
    code, out, said = run(show, store=store, candidate="bbb")
    assert (code, out) == (2, "")
    assert "record 2 of run 'first'" in said
    assert run(show, store=store, candidate="ccc")[0] == 0


def test_what_a_leaderboard_cannot_show_is_named_and_the_others_are_shown(
    damaged: Callable[[str], Path], run: Run
) -> None:
    for column, value in (("val_accuracy", "'much'"), ("params", -1), ("layers", "CAST(X'FF' AS TEXT)")):
        store = damaged(f"UPDATE records SET {column} = {value} WHERE id = 2")  # noqa: S608
        code, out, said = run(leaderboard, store=store, format="csv")
        assert code == 0
        assert "record 2 of run 'first'" in said
        assert column in said
        assert {line.split(",")[1] for line in out.splitlines()[1:]} == {"aaa", "bbb", "ddd"}


def test_a_record_whose_run_is_lost_is_named(damaged: Callable[[str], Path], run: Run) -> None:
    store = damaged("UPDATE records SET run_id = 99 WHERE id = 4")
    code, out, said = run(leaderboard, store=store, format="csv")
    assert code == 0
    assert "record 4" in said
    assert "ddd" not in out


@pytest.mark.parametrize("settings", ["'{'", "'[]'", "CAST(X'FF' AS TEXT)", '\'{"trials": "many"}\''])
def test_a_damaged_run_is_named_and_what_it_trained_is_shown(
    settings: str, damaged: Callable[[str], Path], run: Run
) -> None:
    store = damaged(f"UPDATE runs SET settings = {settings} WHERE id = 2")  # noqa: S608
    assert "ddd" in run(leaderboard, store=store)[1]
    assert "ddd" in run(leaderboard, store=store, runs=["second"])[1]
    code, _, said = run(report, store=store, output=Path("page.html"))
    assert code == 0
    assert "run 'second', number 2" in said
    code, _, said = run(export, store=store, output=Path("all.jsonl"))
    assert code == 0
    assert "wrote 7 records of 1 run to " in said
    assert run(export, store=store, runs=["second"], output=Path("all.jsonl"))[0] == 2


def test_predictions_that_are_damaged_are_no_longer_compared(damaged: Callable[[str], Path], run: Run) -> None:
    store = damaged("UPDATE predictions SET predicted = X'00' WHERE record_id = 5")
    code, _, said = run(report, store=store, output=Path("page.html"))
    assert code == 0
    assert "record 5 of run 'first' (its predictions are damaged" in said


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        (DAMAGE["no JSON"], "record 2"),
        ("UPDATE runs SET settings = '{' WHERE id = 1", "its settings cannot be read"),
        ("UPDATE runs SET settings = replace(settings, 'params', 'porams') WHERE id = 1", "porams"),
        ("UPDATE details SET recipe = replace(recipe, 'batch_size', 'botch_size') WHERE record_id = 2", "botch_size"),
    ],
)
def test_a_run_is_not_resumed_if_rows_of_it_cannot_be_read(
    statement: str, named: str, damaged: Callable[[str], Path], run: Run, tiny: Path
) -> None:
    store = damaged(statement)
    with contextlib.closing(sqlite3.connect(store)) as connection:
        connection.execute("UPDATE runs SET fingerprint = ?", (load("auto", tiny).fingerprint,))
        connection.commit()
    code, out, said = run(run_search, store=store, data=tiny, name="first", resume="")
    assert (code, out) == (2, "")
    assert "run 'first'" in said
    assert named in said
    assert "This error is unexpected" not in said


def test_a_file_without_order_is_beyond_help_and_the_remedy_is_named(damaged: Callable[[str], Path], run: Run) -> None:
    store = damaged("UPDATE details SET recipe = '{' WHERE record_id = 2")
    connection = sqlite3.connect(store)
    (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'predictions'").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    data = bytearray(store.read_bytes())
    data[(page - 1) * size : (page - 1) * size + 8] = b"\xff" * 8
    store.write_bytes(data)
    # What is damaged is not looked at here.
    assert run(leaderboard, store=store)[0] == 0
    code, _, said = run(report, store=store, output=Path("page.html"))
    assert code == 2
    assert f"sqlite3 {store} .recover" in said


def test_a_damaged_line_of_an_archive_is_named_and_the_others_are_shown(whole: Path, run: Run, tmp_path: Path) -> None:
    path = tmp_path / "some.jsonl"
    with Store(whole) as store:
        archive.write(store, ["first", "second"], path)
    lines = path.read_bytes().splitlines(keepends=True)
    (place,) = [number for number, line in enumerate(lines) if json.loads(line).get("record", {}).get("key") == "ddd"]
    lines[place] = lines[place].replace(b'"params"', b'"porams"')
    lines[2] = b"\xff" + lines[2]
    path.write_bytes(b"".join(lines))
    code, out, said = run(leaderboard, store=path, format="csv")
    assert code == 0
    assert "line 3 (" in said
    assert f"line {place + 1} (" in said
    assert "bbb" in out
    assert "ddd" not in out
    code, _, said = run(import_, archive=path, store=tmp_path / "new.db")
    assert code == 2
    assert "line 3 (" in said
    assert not (tmp_path / "new.db").exists()


def test_a_store_of_an_earlier_version_with_a_damaged_row_is_read(damaged: Callable[[str], Path], run: Run) -> None:
    store = damaged("UPDATE details SET recipe = CAST(X'7BFF7D' AS TEXT) WHERE record_id = 2")
    connection = sqlite3.connect(store)
    for statement in (
        "DROP TABLE deployments",
        "ALTER TABLE records DROP COLUMN flash_bytes",
        "DROP TABLE metrics",
        "ALTER TABLE runs DROP COLUMN objective",
        "ALTER TABLE runs DROP COLUMN direction",
        "ALTER TABLE runs DROP COLUMN source",
        "DROP VIEW trainings",
        "DROP VIEW summaries",
        "ALTER TABLE records RENAME COLUMN reused_from TO taken_from",
        "ALTER TABLE records DROP COLUMN other_environment",
        "ALTER TABLE predictions RENAME TO answers",
        "DROP TABLE proposals",
        "CREATE VIEW summaries AS SELECT * FROM records",
        "CREATE VIEW trainings AS SELECT * FROM summaries",
        "PRAGMA user_version = 4",
    ):
        connection.execute(statement)
    connection.close()
    code, _, said = run(report, store=store, output=Path("page.html"))
    assert code == 0
    assert "record 2 of run 'first'" in said
