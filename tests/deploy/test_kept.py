"""Which training of a candidate is deployed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tinysearch.data.dataset import Dataset
from tinysearch.deploy import kept
from tinysearch.deploy.kept import trained_network
from tinysearch.result import Result
from tinysearch.results.ranking import Standing
from tinysearch.results.record import Record

Make = Callable[..., Record]


@pytest.fixture
def trainings(make_record: Make, dataset: Dataset) -> list[Record]:
    """Return a search and three evaluations of one candidate, in the order in which they were finished."""
    search = replace(make_record(), fingerprint=dataset.fingerprint)
    return [search, *(replace(search, purpose="evaluation", seed=seed, test_accuracy=seed / 10) for seed in (2, 0, 1))]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2)])
def test_it_is_the_evaluation_with_the_lowest_seed_whichever_was_finished_first(
    order: tuple[int, ...], trainings: list[Record], dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "load_model", lambda path: path)
    finished = [trainings[place] for place in order]
    models = [Path(f"{one.purpose}-{one.seed}") for one in finished]
    found, record = trained_network("net", finished, models, dataset)
    assert (record.purpose, record.seed) == ("evaluation", 0)
    assert found.model == Path("evaluation-0")
    assert found.origin["seed"] == 0


def test_test_accuracies_come_by_seed(trainings: list[Record], dataset: Dataset, tmp_path: Path) -> None:
    found = Result.of(Standing(trainings, 1), dataset, tmp_path, tmp_path / "store.db")
    assert found.test_accuracies == (0.0, 0.1, 0.2)
