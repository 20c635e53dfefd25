from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tinysearch.data.dataset import Dataset
from tinysearch.deploy import scoring
from tinysearch.deploy.evidence import scored_in_int8
from tinysearch.deploy.scoring import score_in_int8
from tinysearch.deploy.trained import Trained
from tinysearch.errors import CandidateError
from tinysearch.results.artifacts import saved
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import INT8_ACCURACY, Measurement, Record
from tinysearch.results.store import Store
from tinysearch.space.architecture import Architecture, Conv, Head

SMALL = Architecture((Conv(3, norm="before"),), Head("average"))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db", create=True)


@pytest.fixture
def evaluated(
    store: Store, make_record: Callable[..., Record], make_trained: Callable[..., Trained], dataset: Dataset
) -> list[Record]:
    """Store two evaluations with their models."""
    store.create_run("run", dataset.name, dataset.fingerprint, {})
    for seed in (0, 1):
        record = replace(
            make_record("aaa", architecture=SMALL, run="run", seed=seed, purpose="evaluation", test_accuracy=0.5),
            fingerprint=dataset.fingerprint,
        )
        store.append(record)
        path = saved(store.folder_of("run"), record)
        path.parent.mkdir(parents=True, exist_ok=True)
        make_trained(SMALL, seed=seed).model.save(path)
    return store.records("run")


def test_each_network_is_scored_as_its_own_and_the_figure_stands_beside_that_of_float32(
    store: Store, evaluated: list[Record], make_trained: Callable[..., Trained], dataset: Dataset
) -> None:
    told: list[str] = []
    scored = score_in_int8(store, evaluated, dataset, told.append)
    expected = [scored_in_int8(make_trained(SMALL, seed=seed), dataset).accuracy for seed in (0, 1)]
    assert [one.test_metrics[INT8_ACCURACY] for one in scored] == expected
    assert store.records("run") == scored
    assert len(told) == 1
    (row,) = rank(store.summaries()).rows
    assert (row.int8_seeds, row.int8_accuracy_mean) == (2, pytest.approx(sum(expected) / 2))
    assert (row.test_seeds, row.test_accuracy_mean) == (2, 0.5)


def test_what_was_scored_is_not_scored_again(
    store: Store, evaluated: list[Record], dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = score_in_int8(store, evaluated[:1], dataset)
    monkeypatch.setattr(scoring, "scored_in_int8", _never)
    assert score_in_int8(store, scored, dataset) == scored
    # A figure that is there stays, whoever comes second.
    store.note_test_metric(scored[0], INT8_ACCURACY, 0.123)
    assert store.records("run")[0].test_metrics == scored[0].test_metrics


def test_a_model_that_is_gone_is_named_with_what_to_do(store: Store, evaluated: list[Record], dataset: Dataset) -> None:
    gone = saved(store.folder_of("run"), evaluated[1])
    gone.unlink()
    with pytest.raises(CandidateError, match=f"with seed 1 is not at {gone}.*another `store=`"):
        score_in_int8(store, evaluated, dataset)
    # The first was scored, and is.
    assert INT8_ACCURACY in store.records("run")[0].test_metrics


def test_failures_stay_as_they_are(store: Store, evaluated: list[Record], dataset: Dataset) -> None:
    failed = replace(evaluated[0], measurement=Measurement(failure="it broke"), test_accuracy=None)
    assert score_in_int8(store, [failed], dataset) == [failed]


def _never(*_: Any) -> Any:
    raise AssertionError("scored again")
