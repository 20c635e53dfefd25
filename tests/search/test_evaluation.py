from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.errors import DatasetError, RunError
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import Dataset, load
from tinysearch.search.evaluation import best_of, evaluate, evaluate_all
from tinysearch.search.images import Images
from tinysearch.search.recipe import Recipe
from tinysearch.space.architecture import Architecture, Conv, Head, Pool

SMALL = Candidate(Architecture((Conv(4, stride=2), Pool()), Head("average")), Recipe(epochs=1))


@pytest.fixture
def digits() -> Dataset:
    whole = load("digits")
    return dataclasses.replace(
        whole, train=Images(whole.train.pixels[:100], whole.train.labels[:100]), load_test=whole.load_test
    )


def test_the_test_images_are_read_before_and_scored_once_after_training(digits: Dataset) -> None:
    events: list[str] = []

    def reads() -> Images:
        events.append("test images")
        return digits.load_test()

    watched = dataclasses.replace(digits, load_test=reads)
    record = evaluate(
        SMALL,
        watched,
        7,
        run="r",
        name="small",
        origin="search",
        on_epoch=lambda number, epoch: events.append(f"epoch {number}"),
    )
    assert events == ["test images", "epoch 1"]
    assert record.purpose == "evaluation"
    assert record.seed == 7
    assert record.test_accuracy is not None
    assert (record.test_accuracy * 359) == pytest.approx(round(record.test_accuracy * 359))


def test_a_dataset_without_test_images_cannot_be_evaluated_on(digits: Dataset) -> None:
    def none() -> Images:
        raise DatasetError("there are no test images")

    without = dataclasses.replace(digits, load_test=none)
    with pytest.raises(DatasetError, match="no test images"):
        evaluate(SMALL, without, 0, run="r", name="s", origin="search", on_epoch=lambda *_: pytest.fail("trained"))


@pytest.fixture
def store(tmp_path: Path, digits: Dataset, as_record: Callable[..., Record]) -> Store:
    """A store with a run of two candidates, of which the second is the better one."""
    opened = Store(tmp_path / "store.db", create=True)
    opened.create_run("run", digits.name, digits.fingerprint, {})
    for trial, (stride, score) in enumerate([(3, 0.5), (2, 0.9)]):
        architecture = Architecture((Conv(4, stride=stride), Pool()), Head("average"))
        record = as_record(architecture, score, trial)
        key = Candidate(architecture, Recipe(epochs=1)).key
        opened.append(dataclasses.replace(record, key=key, recipe=Recipe(epochs=1).to_dict()))
    return opened


def test_the_best_is_retrained_on_all_images_and_scored_once_per_seed(digits: Dataset, store: Store) -> None:
    started: list[tuple[str, int]] = []

    def again() -> list[Record]:
        return evaluate_all(
            store,
            best_of(store, "run", digits, top=1),
            digits,
            range(2),
            on_start=lambda record, seed: started.append((record.key, seed)),
        )

    best = max(store.records(), key=lambda record: record.score)
    records = again()
    assert started == [(best.key, 0), (best.key, 1)]
    assert [record.purpose for record in records] == ["evaluation"] * 2
    assert all(record.measurement.val_accuracy is None for record in records)
    assert [record.test_accuracy for record in again()] == [record.test_accuracy for record in records]
    assert len(started) == 2
    first, second = rank(store.records()).rows
    assert (first.key, first.test_seeds, first.val_accuracy) == (best.key, 2, 0.9)
    assert (second.test_seeds, second.test_accuracy_mean) == (0, None)


def test_a_run_is_evaluated_on_the_data_it_was_made_on(digits: Dataset, store: Store) -> None:
    with pytest.raises(RunError, match="another"):
        best_of(store, "run", dataclasses.replace(digits, fingerprint="another"), top=1)


def test_a_run_without_candidates_cannot_be_evaluated(digits: Dataset, store: Store) -> None:
    store.create_run("empty", digits.name, digits.fingerprint, {})
    with pytest.raises(RunError, match="no trained candidate"):
        best_of(store, "empty", digits, top=1)
