"""Which training of a candidate is deployed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tinysearch.api.result import Result
from tinysearch.data.dataset import Dataset
from tinysearch.deploy import kept
from tinysearch.deploy.kept import trained_network
from tinysearch.results.artifacts import handed_out, saved
from tinysearch.results.record import Record
from tinysearch.results.standing import Standing

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


def save(folder: Path, record: Record) -> Path:
    path = saved(folder, record)
    path.parent.mkdir(exist_ok=True)
    path.touch()
    return path


@pytest.mark.parametrize("kept_seeds", [(0, 1, 2), (1, 2), (2,), ()])
def test_python_loads_the_training_that_is_deployed(
    kept_seeds: tuple[int, ...],
    trainings: list[Record],
    dataset: Dataset,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "load_model", lambda path: path)
    for one in trainings:
        if one.purpose == "search" or one.seed in kept_seeds:
            save(tmp_path, one)
    result = Result.of(Standing(trainings, 1), dataset, tmp_path, tmp_path / "store.db")
    paths = [saved(tmp_path, one) for one in trainings]
    deployed, record = trained_network("net", trainings, [one if one.exists() else None for one in paths], dataset)
    assert (result.model_path, result.training) == (deployed.model, record)
    assert deployed.origin["test_accuracy"] == record.test_accuracy
    assert (record.purpose, record.seed) == (("evaluation", min(kept_seeds)) if kept_seeds else ("search", 0))


def test_without_any_model_it_is_the_training_that_will_be_done_again(
    trainings: list[Record], dataset: Dataset, tmp_path: Path
) -> None:
    result = Result.of(Standing(trainings, 1), dataset, tmp_path, tmp_path / "store.db")
    assert result.training is not None
    assert (result.training.purpose, result.training.seed) == ("evaluation", 0)
    assert result.model_path == saved(tmp_path, result.training)


def test_a_training_that_was_validated_on_other_images_or_failed_is_never_chosen(
    make_record: Make, trainings: list[Record]
) -> None:
    again = make_record(purpose="revalidation")
    path = Path("search.keras")
    assert handed_out([(again, path), (trainings[0], path)]) == (trainings[0], path)
    assert handed_out([(again, path), (make_record(failure="loss was nan"), path)]) is None


def test_a_training_on_the_images_that_are_given_goes_before_one_on_others(
    trainings: list[Record], dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "load_model", lambda path: path)
    other = replace(trainings[2], fingerprint="f" * 16)
    _, record = trained_network("net", [other, trainings[0]], [Path("other"), Path("own")], dataset)
    assert record is trainings[0]


def test_test_accuracies_come_by_seed(trainings: list[Record], dataset: Dataset, tmp_path: Path) -> None:
    found = Result.of(Standing(trainings, 1), dataset, tmp_path, tmp_path / "store.db")
    assert found.test_accuracies == (0.0, 0.1, 0.2)


@pytest.mark.parametrize(("recorded", "threads"), [("3", 3), (None, None), ("0", None), ("many", None)])
def test_without_a_model_it_is_trained_again_with_the_threads_that_it_had(
    recorded: str | None,
    threads: int | None,
    make_record: Make,
    dataset: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept, "trained_again", lambda *given: given)
    provenance = {} if recorded is None else {"threads": recorded}
    record = replace(make_record(), fingerprint=dataset.fingerprint, seed=5, provenance=provenance)
    found, _ = trained_network("net", [record], [None], dataset)
    assert found.model[2:] == (5, threads)
