from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone
from pathlib import Path

import pytest

from tinysearch.baselines.models import CONV
from tinysearch.errors import CandidateError, InputError, RunError, StoreError, StoreWriteError, TinySearchWarning
from tinysearch.results.migration import APPLICATION_ID
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.schema import MIGRATIONS
from tinysearch.results.store import DEFAULT_PATH, Store, default_path
from tinysearch.results.summary import Summary
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.cost import Cost, cost
from tinysearch.space.task import Task

MakeRecord = Callable[..., Record]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    """Return a store with the empty run ``first``."""
    with Store(path, create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {"trials": 2})
        yield store


def undated(record: Record) -> Record:
    return dataclasses.replace(record, created_at="")


# Records


def test_a_record_comes_back_as_it_was_with_all_its_fields(store: Store, make_record: MakeRecord) -> None:
    record = make_record(
        name="baseline:conv",
        origin="baseline",
        purpose="evaluation",
        trial=None,
        seed=3,
        architecture=CONV.architecture,
        cost=cost(CONV.architecture, Task()),
        recipe={"epochs": 2, "learning_rate": 0.1, "optimizer": "sgd"},
        earlier=(1 / 3,),
        test_accuracy=2 / 3,
        provenance={"python": "3.11", "commit": None},
        created_at="2024-01-01T00:00:00+00:00",
    )
    store.append(record)
    assert store.records() == [record]


def test_a_failed_record_comes_back_with_its_failure(store: Store, make_record: MakeRecord) -> None:
    store.append(make_record(failure="loss was nan"))
    (found,) = store.records()
    assert found.failed
    assert found.measurement.failure == "loss was nan"


def test_the_store_dates_what_has_no_date(store: Store, make_record: MakeRecord) -> None:
    before = datetime.now(timezone.utc).replace(microsecond=0)
    store.append(make_record())
    assert datetime.fromisoformat(store.records()[0].created_at) >= before


def test_records_are_there_for_a_store_opened_later(path: Path, store: Store, make_record: MakeRecord) -> None:
    store.append(make_record())
    store.close()
    with Store(path) as later:
        assert [undated(record) for record in later.records()] == [make_record()]


def test_records_keep_their_order_whatever_their_keys_and_trials(store: Store, make_record: MakeRecord) -> None:
    for key, trial in (("c", None), ("a", 1), ("b", 0)):
        store.append(make_record(key, trial=trial))
    assert [record.key for record in store.records()] == ["c", "a", "b"]


def test_records_of_one_run_leave_out_the_others(store: Store, make_record: MakeRecord) -> None:
    store.create_run("second", "other", "f" * 16, {})
    store.append(make_record("a"))
    store.append(make_record("b", run="second"))
    assert [record.key for record in store.records("first")] == ["a"]
    assert [record.dataset for record in store.records("second")] == ["other"]
    assert len(store.records()) == 2


def test_the_same_training_is_stored_once(store: Store, make_record: MakeRecord) -> None:
    store.append(make_record(val_accuracy=0.5))
    store.append(make_record(val_accuracy=0.9))
    assert [record.score for record in store.records()] == [0.5]


@pytest.mark.parametrize("other", [{"key": "bbb"}, {"seed": 1}, {"purpose": "evaluation"}, {"run": "second"}])
def test_a_training_that_differs_in_what_identifies_it_is_stored_too(
    store: Store, make_record: MakeRecord, other: dict[str, object]
) -> None:
    store.create_run("second", "toy", "0123456789abcdef", {})
    store.append(make_record())
    store.append(make_record(**other))
    assert len(store.records()) == 2


def test_rejections_are_stored_with_the_record(store: Store, make_record: MakeRecord) -> None:
    store.append(make_record("a", rejections={"params": 7, "duplicate": 1}))
    store.append(make_record("b"))
    assert [record.rejections for record in store.records()] == [{"params": 7, "duplicate": 1}, {}]


def test_what_was_trained_alike_is_found_in_any_run(store: Store, make_record: MakeRecord) -> None:
    store.create_run("second", "toy", "0123456789abcdef", {})
    store.append(make_record("a", run="second", purpose="evaluation"))
    store.append(make_record("b", run="second", failure="out of memory"))
    store.append(make_record("c", run="second", reused_from="elsewhere"))
    store.append(make_record("d", run="second"))
    store.append(make_record("d", reused_from="second"))
    found = {key: next(iter(store.trainings(key, 0, "0123456789abcdef")), None) for key in "abcd"}
    assert [key for key, record in found.items() if record is not None] == ["d"]
    assert found["d"] is not None
    assert found["d"].run == "second"
    assert store.trainings("d", 1, "0123456789abcdef") == []
    assert store.trainings("d", 0, "f" * 16) == []


def test_the_latest_trainings_leave_out_what_says_nothing_of_time(store: Store, make_record: MakeRecord) -> None:
    for number in range(4):
        store.append(make_record(f"{number:012d}", position=number, trial=number))
    store.append(make_record("f" * 12, failure="out of memory", position=4, trial=4))
    store.append(make_record("e" * 12, reused_from="elsewhere", position=5, trial=5))
    assert [one.key[-1] for one in store.latest("0123456789abcdef", 3)] == ["3", "2", "1"]
    assert store.latest("0" * 16, 3) == []


def test_summaries_are_those_of_the_records(store: Store, make_record: MakeRecord) -> None:
    store.create_run("second", "toy", "0123456789abcdef", {})
    for record in (
        make_record("a", earlier=(0.1, 0.2), seed=3),
        make_record("b", failure="loss was nan"),
        make_record("c", run="second", reused_from="first", val_accuracy=None),
        make_record("a", purpose="evaluation", test_accuracy=0.7, trial=None),
    ):
        store.append(record)
    assert set(store.summaries()) == {Summary.of(record) for record in store.records()}
    assert store.summaries("second") == [Summary.of(record) for record in store.records("second")]
    assert {len(store.summaries()), len(store.records())} == {4}


@contextlib.contextmanager
def first_schema(path: Path) -> Iterator[sqlite3.Connection]:
    """Make an empty store as the first version made it, and close it at the end of a block."""
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        for statement in MIGRATIONS[0]:
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute("PRAGMA user_version = 1")
        yield connection


def test_a_store_of_the_first_schema_is_read_and_its_rejections_are_kept(path: Path) -> None:
    with first_schema(path) as connection:
        connection.execute(
            "INSERT INTO runs (name, dataset, fingerprint, settings, rejections, created_at) "
            "VALUES ('old', 'toy', 'f', '{}', '{\"params\": 3}', 'then')"
        )
        architecture = json.dumps(Architecture((Conv(4),), Head("average")).to_dict())
        cost = json.dumps(Cost(1, 1, 1, 1, 1).to_dict())
        epoch = Epoch(0.5, 0.8, 0.25, 0.9, 0.1, 1.0)
        for key in "ab":
            connection.execute(
                "INSERT INTO records (run_id, key, name, origin, purpose, seed, params, architecture, cost, recipe, "
                "measurement, provenance, created_at) VALUES (1, ?, ?, 'search', 'search', 0, 1, ?, ?, '{}', "
                "?, '{}', 'then')",
                (key, key, architecture, cost, json.dumps(Measurement((epoch, epoch), 1.5).to_dict())),
            )
    with Store(path) as store:
        assert [record.rejections for record in store.records("old")] == [{}, {"params": 3}]
        assert store.run("old").rejections == {}
        assert {record.reused_from for record in store.records()} == {None}
        assert [(one.epochs, one.val_loss, one.train_seconds) for one in store.summaries()] == [(2, 0.25, 1.5)] * 2
        assert [one.layers for one in store.summaries()] == ["c4"] * 2


def test_damaged_rows_of_the_first_schema_are_named_with_the_remedy(path: Path) -> None:
    with first_schema(path) as connection:
        connection.execute(
            "INSERT INTO runs (name, dataset, fingerprint, settings, created_at) "
            "VALUES ('old', 'toy', 'f', '{}', 'then')"
        )
        connection.execute(
            "INSERT INTO records (run_id, key, name, origin, purpose, seed, params, architecture, cost, recipe, "
            "measurement, provenance, created_at) VALUES (1, 'a', 'a', 'search', 'search', 0, 1, '{}', '{', '{}', "
            "'{}', '{}', 'then')"
        )
    with pytest.raises(StoreError, match=r"records are damaged: 1;.*DELETE FROM records WHERE id IN \(1\)"):
        Store(path)


def test_a_record_of_an_unknown_run_is_refused(store: Store, make_record: MakeRecord) -> None:
    with pytest.raises(RunError, match="'ghost'"):
        store.append(make_record(run="ghost"))
    assert store.records() == []


# Runs


def test_runs_come_oldest_first_with_what_they_were_made_of(store: Store) -> None:
    made = store.create_run("a run", "digits", "f" * 16, {"trials": 3, "budget": {"params": 10}})
    first, second = store.runs()
    assert first.name == "first"
    assert second == made
    assert (made.dataset, made.fingerprint) == ("digits", "f" * 16)
    assert made.settings == {"trials": 3, "budget": {"params": 10}}
    assert made.rejections == {}
    assert made.finished_at is None


def test_a_finished_run_has_an_end_until_it_goes_on(store: Store) -> None:
    store.note_rejections("first", {"shape": 1})
    store.finish("first")
    run = store.run("first")
    assert run.finished_at is not None
    assert run.finished_at >= run.created_at
    store.reopen("first")
    assert store.run("first").finished_at is None
    assert store.run("first").rejections == {"shape": 1}


def test_a_taken_name_is_refused_and_the_run_stays_as_it_was(store: Store) -> None:
    with pytest.raises(RunError, match="'first'"):
        store.create_run("first", "other", "f" * 16, {})
    assert [run.dataset for run in store.runs()] == ["toy"]


def test_an_unknown_run_is_an_error_that_lists_the_known_ones(store: Store) -> None:
    store.create_run("second", "toy", "0123456789abcdef", {})
    with pytest.raises(RunError, match=r"'third'.*first, second"):
        store.run("third")


# Finding a candidate


def test_a_unique_prefix_finds_all_records_of_its_candidate(store: Store, make_record: MakeRecord) -> None:
    for key, seed in (("abc1", 0), ("xyz9", 0), ("abc1", 1)):
        store.append(make_record(key, seed=seed))
    assert [(record.key, record.seed) for record in store.find("ab")] == [("abc1", 0), ("abc1", 1)]
    assert [record.key for record in store.find("xyz9")] == ["xyz9"]


def test_an_ambiguous_prefix_is_an_error_that_lists_the_keys(store: Store, make_record: MakeRecord) -> None:
    store.append(make_record("abc1"))
    store.append(make_record("abd2"))
    with pytest.raises(CandidateError, match=r"'ab'.*abc1, abd2"):
        store.find("ab")


@pytest.mark.parametrize("prefix", ["zz", "%", "a_c", "ABC", "bc1", "abc12"])
def test_a_prefix_of_no_key_is_an_error_that_names_it(store: Store, make_record: MakeRecord, prefix: str) -> None:
    store.append(make_record("abc1"))
    with pytest.raises(CandidateError, match=f"'{prefix}'"):
        store.find(prefix)


# Files that are no store


def test_a_missing_store_is_an_error_and_is_not_made(path: Path) -> None:
    with pytest.raises(StoreError, match=r"store\.db"):
        Store(path)
    assert not path.exists()


def test_a_store_is_made_with_its_folders(tmp_path: Path) -> None:
    with Store(tmp_path / "some" / "where" / "store.db", create=True) as store:
        assert store.runs() == []


@pytest.mark.parametrize("create", [True, False])
def test_a_folder_is_no_store(tmp_path: Path, create: bool) -> None:
    with pytest.raises(StoreError, match=tmp_path.name):
        Store(tmp_path, create=create)


@pytest.mark.parametrize("create", [True, False])
def test_a_path_below_a_file_cannot_hold_a_store(tmp_path: Path, create: bool) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        Store(tmp_path / "file" / "store.db", create=create)


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, create: bool) -> None:
    path.write_bytes(b"dear diary, " * 100)
    with pytest.raises(StoreError, match=r"store\.db"):
        Store(path, create=create)
    assert path.read_bytes() == b"dear diary, " * 100


@pytest.mark.parametrize("create", [True, False])
def test_a_database_of_someone_else_is_refused_and_left_alone(path: Path, create: bool) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (title TEXT)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a store"):
        Store(path, create=create)
    assert path.read_bytes() == before


def test_an_empty_file_becomes_a_store_only_if_one_is_to_be_made(path: Path) -> None:
    path.touch()
    with pytest.raises(StoreError, match="not a store"):
        Store(path)
    with Store(path, create=True) as store:
        assert store.runs() == []


def test_a_store_of_a_newer_schema_is_refused(path: Path, store: Store) -> None:
    store.close()
    newer = len(MIGRATIONS) + 1
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {newer}")
    connection.close()
    with pytest.raises(StoreError, match=rf"version {newer}.*upgrade"):
        Store(path)


def test_opening_a_store_again_keeps_what_is_in_it(path: Path, store: Store, make_record: MakeRecord) -> None:
    store.append(make_record())
    with Store(path, create=True) as again:
        assert len(again.records()) == 1


# Several connections, and disks that fill up


def test_the_journal_is_a_write_ahead_log(path: Path, store: Store) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_second_connection_reads_while_the_first_one_writes(
    path: Path, store: Store, make_record: MakeRecord
) -> None:
    store.append(make_record("a"))
    with Store(path) as reader, store._database.writing():
        store._database._connection.execute("UPDATE runs SET settings = '{\"trials\": 99}'")
        assert [record.key for record in reader.records()] == ["a"]
        assert reader.run("first").settings == {"trials": 2}


def test_two_connections_may_write_in_turn(path: Path, store: Store, make_record: MakeRecord) -> None:
    with Store(path) as other:
        store.append(make_record("a"))
        other.append(make_record("b"))
        store.append(make_record("c"))
    assert [record.key for record in store.records()] == ["a", "b", "c"]


def test_a_store_may_be_made_by_several_at_once(path: Path) -> None:
    count = 6
    together = threading.Barrier(count)

    def make(number: int) -> None:
        together.wait()
        with Store(path, create=True) as store:
            store.create_run(str(number), "toy", "0123456789abcdef", {})

    with ThreadPoolExecutor(count) as threads:
        list(threads.map(make, range(count)))
    with Store(path) as store:
        assert {run.name for run in store.runs()} == set(map(str, range(count)))


def test_a_full_disk_is_an_error_that_leaves_earlier_records_intact(
    path: Path, store: Store, make_record: MakeRecord
) -> None:
    store.append(make_record("a"))
    (pages,) = store._database._connection.execute("PRAGMA page_count").fetchone()
    store._database._connection.execute(f"PRAGMA max_page_count = {pages}")
    large = {"notes": "x" * 1_000_000}
    with pytest.raises(StoreWriteError, match=r"full.*intact"):
        store.append(make_record("b", provenance=large))
    with Store(path) as fresh:
        assert [undated(record) for record in fresh.records()] == [make_record("a")]
    store._database._connection.execute("PRAGMA max_page_count = 1000000")
    store.append(make_record("b", provenance=large))
    assert [record.key for record in store.records()] == ["a", "b"]


def test_what_is_no_number_is_never_written(store: Store, make_record: MakeRecord) -> None:
    with pytest.raises(ValueError, match="JSON"):
        store.append(make_record(val_accuracy=float("nan")))
    assert store.records() == []


# Where it is


def test_the_path_is_that_of_the_environment_else_in_the_working_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYSEARCH_STORE", "elsewhere.db")
    assert default_path() == Path("elsewhere.db")
    monkeypatch.setenv("TINYSEARCH_STORE", "")
    assert default_path() == DEFAULT_PATH
    monkeypatch.delenv("TINYSEARCH_STORE")
    assert default_path() == DEFAULT_PATH


# Metrics


MACRO = {"trials": 2, "objective": "macro_f1", "direction": "max"}
MEASURED = {"balanced_accuracy": 1 / 3, "macro_f1": 2 / 3}


def test_metrics_come_back_and_are_rows_of_names_and_values(store: Store, path: Path, make_record: MakeRecord) -> None:
    record = make_record("a", earlier=(0.5,), metrics={**MEASURED, "mine:Cost": -3.5})
    tested = make_record(
        "a", purpose="evaluation", test_accuracy=0.75, test_fingerprint="f" * 16, test_metrics={"macro_f1": 1 / 7}
    )
    for one in (record, tested):
        store.append(one)
    assert [undated(one) for one in store.records()] == [record, tested]
    assert undated(store.find("a")[1]).test_metrics == {"macro_f1": 1 / 7}
    with contextlib.closing(sqlite3.connect(path)) as connection:
        rows = set(connection.execute("SELECT record_id, part, name, value FROM metrics"))
    assert rows == {
        (1, "validation", "balanced_accuracy", 1 / 3),
        (1, "validation", "macro_f1", 2 / 3),
        (1, "validation", "mine:Cost", -3.5),
        (2, "test", "macro_f1", 1 / 7),
    }


def test_records_and_summaries_have_the_objective_of_their_run(store: Store, make_record: MakeRecord) -> None:
    store.create_run("macro", "toy", "0123456789abcdef", MACRO)
    store.create_run("least", "toy", "0123456789abcdef", {"objective": "mine:Cost", "direction": "min"})
    for run in ("first", "macro", "least"):
        store.append(make_record("a", run=run, metrics={**MEASURED, "mine:Cost": 5.0}))
    assert (store.run("first").objective, store.run("macro").objective) == ("accuracy", "macro_f1")
    found = [(one.objective, one.direction, one.value) for one in store.records()]
    assert found == [("accuracy", "max", 0.9), ("macro_f1", "max", 2 / 3), ("mine:Cost", "min", 5.0)]
    assert [(one.objective, one.direction, one.value) for one in store.summaries()] == found
    assert list(map(Summary.of, store.records())) == store.summaries()
    assert store.summaries("macro") == store.summaries()[1:2]


def test_summaries_are_by_the_metric_that_is_asked_for(store: Store, make_record: MakeRecord) -> None:
    store.create_run("least", "toy", "0123456789abcdef", {"objective": "mine:Cost", "direction": "min"})
    store.append(make_record("a", metrics=MEASURED))
    store.append(make_record("b", val_accuracy=0.8))
    store.append(
        make_record("a", run="least", purpose="evaluation", test_accuracy=0.5, test_metrics=MEASURED, val_accuracy=None)
    )
    summaries = store.summaries(metric="macro_f1")
    assert [(one.key, one.value, one.test_value) for one in summaries] == [
        ("a", 2 / 3, None),
        ("b", None, None),
        ("a", None, 2 / 3),
    ]
    assert {(one.objective, one.direction) for one in summaries} == {("macro_f1", "max")}
    assert {one.direction for one in store.summaries(metric="mine:Cost")} == {"min"}
    assert [one.value for one in store.summaries(metric="accuracy")] == [0.9, 0.8, None]
    with pytest.raises(InputError, match="accuracy, balanced_accuracy, macro_f1, mine:Cost; got 'recall'"):
        store.summaries(metric="recall")


@pytest.mark.parametrize("value", ["high", math.inf, b"0"])
def test_a_damaged_metric_costs_its_record_and_no_other(
    store: Store, path: Path, make_record: MakeRecord, value: object
) -> None:
    store.create_run("macro", "toy", "0123456789abcdef", MACRO)
    for key in "ab":
        store.append(make_record(key, run="macro", metrics=MEASURED))
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE metrics SET value = ? WHERE record_id = 1 AND name = 'macro_f1'", (value,))
    with pytest.warns(TinySearchWarning, match="record 1 of run 'macro'"):
        (summary,) = store.summaries()
    assert summary.key == "b"


def test_the_common_objective_is_that_of_searches(store: Store) -> None:
    assert store.common_objective() == "accuracy"
    store.create_run("macro", "toy", "0123456789abcdef", MACRO)
    store.create_run("again", "toy", "0123456789abcdef", {"kind": "reproduce", "recipe": {"epochs": 2}})
    assert store.common_objective() is None
    assert store.common_objective(["macro", "again"]) == "macro_f1"
    assert store.common_objective(["again"]) is None


@pytest.mark.parametrize("settings", ["{", b"{"])
def test_what_only_speaks_of_trials_is_no_search_and_neither_is_what_is_damaged(
    store: Store, settings: str | bytes
) -> None:
    store.create_run("macro", "toy", "0123456789abcdef", MACRO)
    named = store.create_run("classes", "toy", "0123456789abcdef", {"data": {"class_names": ["trials", "errors"]}})
    assert not named.is_search
    assert store.common_objective(["macro", "classes"]) == "macro_f1"
    assert store.run("macro").is_search
    with contextlib.closing(sqlite3.connect(store.path)) as connection, connection:
        connection.execute("UPDATE runs SET settings = ? WHERE name = 'classes'", (settings,))
    assert store.common_objective(["macro", "classes"]) == "macro_f1"
