from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.data.loading import load
from tinysearch.errors import DatasetError, RunError, TrainingError
from tinysearch.results.artifacts import evaluated as evaluated_path
from tinysearch.results.callback import Callback, Stage
from tinysearch.results.leaderboard import rank
from tinysearch.results.lock import RunLock
from tinysearch.results.predictions import unpack
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.search.evaluation import best_of, winners_of, with_other_seeds
from tinysearch.search.evaluation import evaluate as carry_out
from tinysearch.space.architecture import Architecture, Conv, Head, Pool
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Outcome
from tinysearch.training.recipe import Recipe

MakeWorker = Callable[[], Any]
SMALL = Candidate(Architecture((Conv(4, stride=2), Pool()), Head("average")), Recipe(epochs=1))


@pytest.fixture
def digits() -> Dataset:
    whole = load("digits")
    return dataclasses.replace(
        whole, train=Images(whole.train.pixels[:100], whole.train.labels[:100]), load_test=whole.load_test
    )


class Watcher(Callback):
    """Notes what happens."""

    def __init__(self) -> None:
        self.events: list[str] = []

    def on_stage_start(self, stage: Stage) -> None:
        self.events.append(f"stage of {stage.total}")

    def on_trial_start(self, training: Training) -> None:
        self.events.append(f"start of seed {training.seed}")

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        self.events.append(f"epoch {number} of seed {training.seed}")

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        self.events.append(f"record of seed {training.seed}")

    def on_stage_end(self, stage: Stage) -> None:
        self.events.append("end")


def planned(*seeds: int, candidate: Candidate = SMALL) -> list[Training]:
    return [
        Training(
            run="run",
            key=candidate.key,
            name="small",
            origin="search",
            purpose="evaluation",
            seed=seed,
            architecture=candidate.architecture,
            cost=cost(candidate.architecture, Task()),
            recipe=candidate.recipe.to_dict(),
            fold=None,
        )
        for seed in seeds
    ]


def model_path(store: Store, one: Training) -> Path:
    return evaluated_path(store.folder_of(one.run), one.key, one.seed)


def evaluate(
    store: Store, plan: list[Training], dataset: Dataset, worker: Any, callback: Callback | None = None
) -> list[Record]:
    stage = Stage("evaluation", "run", len(plan), 1)
    return carry_out(store, plan, dataset, worker.executor(), callback or Callback(), stage)


def test_the_test_images_are_read_before_and_scored_once_after_training(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    watcher = Watcher()

    def reads() -> Images:
        watcher.events.append("test images")
        return digits.load_test()

    watched = dataclasses.replace(digits, load_test=reads)
    (record,) = evaluate(store, planned(7), watched, untrained_worker(), watcher)
    assert watcher.events == [
        "test images",
        "stage of 1",
        "start of seed 7",
        "epoch 1 of seed 7",
        "record of seed 7",
        "end",
    ]
    assert record.purpose == "evaluation"
    assert record.seed == 7
    assert record.test_accuracy is not None
    assert (record.test_accuracy * 359) == pytest.approx(round(record.test_accuracy * 359))


def test_what_was_answered_is_kept_and_agrees_with_the_accuracy_and_the_model(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    import keras

    (plan,) = planned(3)
    (record,) = evaluate(store, [plan], digits, untrained_worker())
    (evaluated,) = store.evaluations(record.test_fingerprint or "")
    assert (evaluated.run, evaluated.key, evaluated.seed, evaluated.recipe) == ("run", SMALL.key, 3, record.recipe)
    assert evaluated.predictions.right.mean() == record.test_accuracy
    test = digits.test()
    model = keras.saving.load_model(model_path(store, plan))
    again = model.predict(test.pixels.astype("float32"), verbose=0).argmax(axis=1)
    assert (unpack(evaluated.predictions.predicted) == again).all()
    assert (unpack(evaluated.predictions.labels) == test.labels).all()
    assert not model_path(store, plan).with_suffix(".npz").exists()


def test_a_dataset_without_test_images_cannot_be_evaluated_on(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    def none() -> Images:
        raise DatasetError("there are no test images")

    worker = untrained_worker()
    with pytest.raises(DatasetError, match="no test images"):
        evaluate(store, planned(0), dataclasses.replace(digits, load_test=none), worker)
    assert worker.jobs == []


def test_other_test_images_are_not_mixed_in(digits: Dataset, store: Store, untrained_worker: MakeWorker) -> None:
    worker = untrained_worker()
    evaluate(store, planned(0), digits, worker)
    fewer = Images(digits.test().pixels[:50], digits.test().labels[:50])
    with pytest.raises(RunError, match="was evaluated on test images"):
        evaluate(store, planned(0, 1), dataclasses.replace(digits, load_test=lambda: fewer), worker)
    assert len(worker.jobs) == 1


def test_a_training_that_fails_is_recorded_and_the_others_go_on(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    broken = Candidate(SMALL.architecture, Recipe(epochs=1, learning_rate=0.5))
    worker = untrained_worker()
    do = worker.do
    worker.do = lambda job, data, on_epoch: (
        Outcome(Measurement(failure="loss was nan")) if job.candidate == broken else do(job, data, on_epoch)
    )
    plan = [*planned(0, candidate=broken), *planned(0)]
    failed, fine = evaluate(store, plan, digits, worker)
    assert (failed.measurement.failure, failed.test_accuracy) == ("loss was nan", None)
    assert fine.test_accuracy is not None
    # It would fail again in the same way.
    worker.do = lambda job, data, on_epoch: pytest.fail("trained again")
    assert [record.key for record in evaluate(store, plan, digits, worker)] == [failed.key, fine.key]
    (row,) = (row for row in rank(store.records()).rows if row.test_seeds)
    assert row.key == SMALL.key


def test_other_seeds_take_the_place_of_those_with_which_an_evaluation_failed(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    worker = untrained_worker()
    do = worker.do
    worker.do = lambda job, data, on_epoch: (
        Outcome(Measurement(failure="no memory")) if job.seed in (0, 3) else do(job, data, on_epoch)
    )
    evaluate(store, planned(0, 1, 3), digits, worker)
    assert [one.seed for one in with_other_seeds(store, planned(0))] == [1]
    assert [one.seed for one in with_other_seeds(store, planned(0, 1, 2))] == [4, 1, 2]
    another = planned(0, candidate=Candidate(SMALL.architecture, Recipe(epochs=2)))
    assert with_other_seeds(store, another) == another


def test_a_failure_does_not_bind_a_run_to_the_test_images(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    worker = untrained_worker()
    do = worker.do
    worker.do = lambda job, data, on_epoch: Outcome(Measurement(failure="no memory"))
    evaluate(store, planned(0), digits, worker)
    worker.do = do
    fewer = Images(digits.test().pixels[:50], digits.test().labels[:50])
    (found,) = evaluate(store, planned(1), dataclasses.replace(digits, load_test=lambda: fewer), worker)
    assert not found.failed


def test_a_network_whose_answers_are_no_numbers_has_failed(
    digits: Dataset, store: Store, untrained_worker: MakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    import keras

    monkeypatch.setattr(keras.Model, "predict", lambda self, pixels, **_: np.full((len(pixels), 10), np.nan))
    (record,) = evaluate(store, planned(0), digits, untrained_worker())
    assert record.test_accuracy is None
    assert "not finite" in str(record.measurement.failure)


def test_a_model_that_could_not_be_saved_is_an_error_and_an_old_one_is_not_scored(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    (plan,) = planned(0)
    worker = untrained_worker()
    worker.do = lambda job, data, on_epoch: Outcome(Measurement((Epoch(0.1, 0.9, None, None, 0.1, 1.0),), 1.0))
    model_path(store, plan).parent.mkdir(parents=True)
    model_path(store, plan).write_bytes(b"an old model")
    with pytest.raises(TrainingError, match="could not be saved"):
        evaluate(store, [plan], digits, worker)


def test_a_run_that_is_being_carried_out_cannot_be_evaluated(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    held = RunLock(store.folder_of("run"), "run")
    with pytest.raises(RunError, match="is in use by"):
        evaluate(store, planned(0), digits, untrained_worker())
    held.release()
    assert evaluate(store, planned(0), digits, untrained_worker())


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


def test_the_best_is_retrained_on_all_images_and_scored_once_per_seed(
    digits: Dataset, store: Store, untrained_worker: MakeWorker
) -> None:
    worker = untrained_worker()

    def again() -> list[Record]:
        plan = best_of(store, "run", digits, top=1, seeds=range(2))
        return evaluate(store, plan, digits, worker)

    best = max(store.records(), key=lambda record: record.score)
    records = again()
    assert [(job.candidate.key, job.seed) for job in worker.jobs] == [(best.key, 0), (best.key, 1)]
    assert [record.purpose for record in records] == ["evaluation"] * 2
    assert all(record.measurement.val_accuracy is None for record in records)
    assert [record.test_accuracy for record in again()] == [record.test_accuracy for record in records]
    assert len(worker.jobs) == 2
    first, second = rank(store.records()).rows
    assert (first.key, first.test_seeds, first.val_accuracy) == (best.key, 2, 0.9)
    assert (second.test_seeds, second.test_accuracy_mean) == (0, None)


def test_a_run_is_evaluated_on_the_data_it_was_made_on(digits: Dataset, store: Store) -> None:
    with pytest.raises(RunError, match="another"):
        best_of(store, "run", dataclasses.replace(digits, fingerprint="another"), 1, [0])


def test_a_run_without_candidates_cannot_be_evaluated(digits: Dataset, store: Store) -> None:
    store.create_run("empty", digits.name, digits.fingerprint, {})
    with pytest.raises(RunError, match="no trained candidate"):
        best_of(store, "empty", digits, 1, [0])


def test_the_best_is_one_that_was_trained_for_all_epochs(
    digits: Dataset, store: Store, as_record: Callable[..., Record]
) -> None:
    architecture = Architecture((Conv(5, stride=3), Pool()), Head("average"))
    record = as_record(architecture, 0.7, 2)
    longer = dataclasses.replace(record.measurement, curve=record.measurement.curve * 2)
    store.append(dataclasses.replace(record, measurement=longer, recipe=Recipe(epochs=2).to_dict()))
    (chosen,) = best_of(store, "run", digits, 1, [0])
    assert (chosen.name, chosen.epochs) == (record.key, 2)


def test_below_each_budget_of_a_run_the_winner_is_evaluated_and_each_only_once(
    digits: Dataset, store: Store, as_record: Callable[..., Record]
) -> None:
    assert winners_of(store, "run", digits, range(2)) == best_of(store, "run", digits, 1, range(2))
    networks = [Architecture((Conv(filters, stride=3), Pool()), Head("average")) for filters in (2, 4, 9)]
    scores = (0.5, 0.8, 0.7)
    store.create_run("front", digits.name, digits.fingerprint, {"budgets": [10, 80, 150, 300]})
    records = [as_record(one, score, trial) for trial, (one, score) in enumerate(zip(networks, scores, strict=True))]
    for record in records:
        mark = {"run": "front", "dataset": digits.name, "fingerprint": digits.fingerprint}
        store.append(dataclasses.replace(record, **mark))
    small, best, _ = records
    assert [one.cost.params for one in records] == [50, 90, 190]
    plan = winners_of(store, "front", digits, range(2))
    assert [(one.key, one.seed) for one in plan] == [(small.key, 0), (small.key, 1), (best.key, 0), (best.key, 1)]
    assert {(one.purpose, one.fold) for one in plan} == {("evaluation", None)}
