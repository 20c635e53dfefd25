from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from stand_ins import UntrainedWorker

from tinysearch.baselines.models import CONV, INCEPTION
from tinysearch.baselines.reproduce import Reproduction, check_count, reproduce
from tinysearch.baselines.table import comparison
from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.errors import CandidateError, CostMismatchError, RunError
from tinysearch.results.callback import Callback
from tinysearch.results.leaderboard import rank
from tinysearch.results.store import Store
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.recipe import recipe

ONE_EPOCH = recipe("documented", epochs=1)


@pytest.fixture
def dataset() -> Dataset:
    rng = np.random.default_rng(0)

    def images(count: int) -> Images:
        return Images(
            rng.integers(0, 256, (count, 28, 28, 1)).astype(np.uint8), (np.arange(count) % 10).astype(np.int32)
        )

    test = images(20)
    return Dataset("noise", "a test", Task(), images(60), "0123456789abcdef", 255.0, None, lambda: test)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db", create=True)


def again(
    names: list[str], dataset: Dataset, seeds: Sequence[int], store: Store, worker: UntrainedWorker
) -> list[Reproduction]:
    given = {"run": "reproduce-noise", "executor": worker.executor(), "callback": Callback()}
    return reproduce(names, dataset, ONE_EPOCH, seeds, store, **given)


@pytest.fixture
def worker(untrained_worker: type[UntrainedWorker]) -> UntrainedWorker:
    return untrained_worker()


def test_each_seed_is_a_record_with_a_test_accuracy_and_is_trained_once(
    dataset: Dataset, store: Store, worker: UntrainedWorker
) -> None:
    first = again(["inception"], dataset, range(2), store, worker)
    assert again(["inception"], dataset, range(2), store, worker) == first
    assert [job.seed for job in worker.jobs] == [0, 1]
    assert len(again(["inception"], dataset, range(3), store, worker)[0].test_accuracies) == 3
    assert [job.seed for job in worker.jobs] == [0, 1, 2]
    (row,) = rank(store.records()).rows
    assert (row.name, row.test_seeds, row.seed) == ("baseline:inception", 3, None)
    assert first[0].counted.params == 3_077


def test_a_run_of_other_data_is_not_mixed_in(dataset: Dataset, store: Store, worker: UntrainedWorker) -> None:
    again(["inception"], dataset, [0], store, worker)
    with pytest.raises(RunError, match="another"):
        again(["inception"], dataclasses.replace(dataset, fingerprint="another"), [0], store, worker)


def test_an_unknown_model_lists_the_known_ones(dataset: Dataset, store: Store, worker: UntrainedWorker) -> None:
    with pytest.raises(CandidateError, match="conv, separable, inception"):
        again(["resnet"], dataset, [0], store, worker)


def test_a_count_that_is_not_the_documented_one_is_an_error() -> None:
    with pytest.raises(CostMismatchError, match="8,641"):
        check_count(dataclasses.replace(CONV, params=8_641))


def result(accuracies: tuple[float, ...]) -> Reproduction:
    return Reproduction(INCEPTION, cost(INCEPTION.architecture, Task()), accuracies, accuracies, 1.0)


def test_the_distance_is_in_standard_errors_of_the_mean() -> None:
    three = result((0.95, 0.96, 0.97))
    assert three.mean == pytest.approx(0.96)
    assert three.std == pytest.approx(0.01)
    assert three.standard_errors == pytest.approx((0.9736 - 0.96) / (0.01 / 3**0.5))
    assert result((0.95,)).std is None
    assert result((0.95,)).standard_errors is None
    assert result((0.95, 0.95)).standard_errors is None


def test_the_table_shows_counts_and_measured_figures_and_of_mnist_the_documented_ones(dataset: Dataset) -> None:
    import io

    from rich.console import Console

    console = Console(width=120, file=io.StringIO(), record=True)
    always, of_mnist = ("3,077 (3,077 + 0)", "96.00 ± 1.00 % (n=3)"), ("97.36 %", "+2.4 SE", "single runs")
    for name in ("mnist", "noise"):
        console.print(comparison([result((0.95, 0.96, 0.97))], replace(dataset, name=name), ONE_EPOCH))
        text = console.export_text()
        for expected in (*always, name):
            assert expected in text
        for figure in of_mnist:
            assert (figure in text) == (name == "mnist")
