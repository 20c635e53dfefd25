"""What an earlier version has stored is read, ranked and resumed; the files beside this one were written by be4342b."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from stand_ins import FakeWorker

import tinysearch
from tinysearch.errors import RunError
from tinysearch.results.archive import read
from tinysearch.results.leaderboard import rank
from tinysearch.results.ranking import best
from tinysearch.results.store import Store
from tinysearch.search.settings import RunSettings
from tinysearch.space.budget import Budget
from tinysearch.space.space_spec import current
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

HERE = Path(__file__).parent
# Settings of runs that there were none of.
LATER = ("constraints", "direction", "objective", "own_space", "schedule", "threads")
RUNS = ["done", "reused", "halving", "tuned", "reproduce-tiny", "whole", "begun", "frontier-1500", "frontier-3000"]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("earlier") / "old.db"
    with sqlite3.connect(path) as connection:
        connection.executescript((HERE / "store-4.sql").read_text(encoding="utf-8"))
    connection.close()
    return path


@pytest.fixture
def store(made: Path, tmp_path: Path) -> Store:
    return Store(Path(shutil.copy(made, tmp_path / "old.db")))


def test_the_store_and_the_archive_hold_the_same(store: Store) -> None:
    archive = read(HERE / "archive-1.jsonl")
    assert [run.name for run in store.runs()] == [run.name for run in archive.runs()] == RUNS
    assert [run.settings for run in store.runs()] == [run.settings for run in archive.runs()]
    assert store.records() == archive.records()
    assert store.summaries() == archive.summaries()


def test_every_candidate_has_the_key_that_it_had(store: Store) -> None:
    records = store.records()
    assert len(records) == 25
    for record in records:
        assert Candidate(record.architecture, Recipe.from_dict(record.recipe)).key == record.key


def test_words_are_the_present_ones(store: Store) -> None:
    assert {record.purpose for record in store.records()} == {"search", "revalidation", "evaluation"}
    assert {record.reused_from for record in store.records("reused")} == {"done"}
    settings = {run.name: run.settings for run in store.runs()}
    assert settings["done"]["folds"] == 2
    assert settings["frontier-3000"]["warm_start_trials"] == [["frontier-1500", 2]]
    assert len(settings["frontier-3000"]["initial_candidates"]) == 2
    for name, found in settings.items():
        assert found["recipe"]["input_scaling"] in ("standardized", "unit")
        if "trials" in found:
            again = RunSettings.from_dict(found).to_dict()
            # What came later has its default.
            later = {name: value for name, value in RunSettings().to_dict().items() if name in LATER}
            assert json.loads(json.dumps(again)) == {
                **json.loads(json.dumps(later)),
                **found,
                "designs": 0,
                "budget": Budget(**found["budget"]).to_dict(),
                "space": current(found["space"]),
            }, name


def test_candidates_are_ranked(store: Store) -> None:
    board = rank(store.summaries())
    assert {row.run for row in board.rows} == set(RUNS) - {"reused"}
    winner = best(store.records("done"))
    assert winner is not None
    (row,) = (row for row in board.rows if row.test_seeds == 2)
    assert (row.key, row.val_seeds) == (winner.key, 2)
    assert row.test_accuracy_mean == pytest.approx(0.175)
    halving = rank(store.records("halving")).rows
    assert [row.epochs for row in halving] == [4, 2, 2, 2]


def test_predictions_are_there(store: Store) -> None:
    mark = next(record.test_fingerprint for record in store.records("done") if record.test_fingerprint)
    found = store.evaluations(mark)
    assert len(found) == 3
    for one in found:
        assert one.predictions is not None
        assert float(one.predictions.right.mean()) == one.accuracy


def test_an_interrupted_run_goes_on_and_ends_like_one_that_was_not(
    store: Store, tiny: Path, call: Callable[..., Any], untrained: None, tmp_path: Path
) -> None:
    (tmp_path / "store.db").unlink(missing_ok=True)
    store.close()
    (tmp_path / "old.db").rename(tmp_path / "store.db")
    done = call(tmp_path, "run", "--name", "begun", "--resume", "--data", tiny, "--folds", 1, "--reuse", "none")
    assert done.returncode == 0, done.stderr
    with Store(tmp_path / "store.db") as opened:
        begun, whole = opened.records("begun"), opened.records("whole")
    assert [record.key for record in begun] == [record.key for record in whole]
    assert [record.position for record in begun] == [0, 1, 2, 3]
    assert [(record.reused_from, record.epochs) for record in begun[2:]] == [(None, 2), (None, 2)]


@pytest.mark.parametrize("depth", [{"depth": [1, 2]}, {"format": 2, "depth": "1..2"}])
def test_a_run_with_a_space_of_format_1_goes_on_whichever_way_its_space_is_written(
    store: Store, tiny: Path, depth: dict[str, Any]
) -> None:
    given = {**depth, "kinds": ["conv"]}
    warned = pytest.warns(FutureWarning) if "format" not in depth else contextlib.nullcontext()
    with warned, tinysearch.Study(space=given, data=tiny, name="begun", resume=True, store=store) as study:
        assert study.settings.space == {"format": 2, "depth": "1..2", "kinds": ["conv"]}
    worker = FakeWorker()
    assert study.run(executor=worker.executor()).ending == "finished"
    assert len(worker.jobs) == 2


def test_a_run_with_a_space_of_format_1_does_not_go_on_with_another_one(store: Store, tiny: Path) -> None:
    given = {"format": 2, "depth": [1, 2], "kinds": ["conv"]}
    study = tinysearch.Study(space=given, data=tiny, name="begun", resume=True, store=store)
    with pytest.raises(RunError, match="space"):
        study.run(executor=FakeWorker().executor())


def test_a_run_with_initial_candidates_is_opened_with_its_settings(store: Store, tiny: Path) -> None:
    study = tinysearch.Study(data=tiny, name="frontier-3000", resume=True, store=store)
    assert len(study.settings.initial_candidates) == 2
    assert study.settings.warm_start_trials == (("frontier-1500", 2, 0),)
    worker = FakeWorker()
    assert study.run(executor=worker.executor()).ending == "finished"
    assert worker.jobs == []


def test_a_recipe_with_earlier_names_is_the_same_recipe() -> None:
    earlier = {"inputs": "unit", "average_decay": 0.99, "plain_epochs": 2}
    later = Recipe(input_scaling="unit", ema_momentum=0.99, no_augment_final_epochs=2)
    assert Recipe.from_dict(earlier) == later
    assert tinysearch.Recipe.from_dict(later.to_dict()) == later


def test_runs_have_accuracy_as_their_objective_and_it_is_the_only_metric_of_their_records(store: Store) -> None:
    assert {run.objective for run in store.runs()} == {"accuracy"}
    for record in store.records():
        assert (record.objective, record.value) == ("accuracy", record.val_accuracy)
        assert record.metrics == ({} if record.val_accuracy is None else {"accuracy": record.val_accuracy})
        assert record.test_metrics == {}
    by_accuracy = rank(store.summaries(metric="accuracy"))
    assert by_accuracy == rank(store.summaries())
    assert {row.val_metric for row in rank(store.summaries(metric="macro_f1")).rows} == {None}
