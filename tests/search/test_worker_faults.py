"""A run in which everything goes wrong that can: each fault costs one trial, and the run goes on."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import CostMismatchError, WorkerError
from tinysearch.results.record import Record
from tinysearch.search.run import SearchRun
from tinysearch.search.settings import RunSettings
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import Recipe
from tinysearch.workers.local.executor import LocalExecutor

sys.path.insert(0, str(Path(__file__).parents[1] / "workers" / "local"))
import faulty


def width(record: Record) -> int:
    layer: Any = record.architecture.layers[0]
    return int(layer.filters)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
@pytest.mark.parametrize("workers", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_each_fault_is_recorded_with_its_reason_and_the_run_goes_on(
    workers: int, runner: Any, dataset: Any, pointwise: Any
) -> None:
    # The width of the only layer tells ``faulty`` what to do.
    worker = LocalExecutor(workers, trainer="faulty:train", stall_seconds=5.0)
    space = pointwise(faulty.FINE, faulty.CHATTY)
    outcome = runner.run(
        trials=100,
        workers=workers,
        worker=worker,
        space=space,
        documented={},
        strategy="random",
        memory_bytes=700_000_000,
    )
    worker.close()
    assert outcome.ending == "exhausted"
    failures = {width(record): record.measurement.failure for record in outcome.records}
    reasons = {
        faulty.KILLED: "killed by SIGKILL",
        faulty.EXITS: "exit code 3",
        faulty.RAISES: "ValueError: cannot be built",
        faulty.HANGS: "no epoch was finished for too long",
        faulty.STOPS: "no epoch was finished for too long",
        faulty.HUNGRY: "MemoryError",
    }
    fine = {faulty.FINE, faulty.KILLED_ONCE, faulty.CHATTY}
    assert failures.keys() == reasons.keys() | fine
    for number, failure in failures.items():
        assert (failure is None) == (number in fine), (number, failure)
        assert reasons.get(number, "") in (failure or "")
    for record in outcome.records:
        assert bool(record.measurement.log) == (record.failed or width(record) in fine)
    assert [record.measurement for record in runner.store.records()] == [one.measurement for one in outcome.records]


@pytest.mark.parametrize("workers", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_machine_without_memory_ends_the_run_and_keeps_what_was_trained(
    workers: int, runner: Any, dataset: Any, pointwise: Any
) -> None:
    worker = LocalExecutor(workers, trainer="faulty:starve", stall_seconds=60.0)
    fine = {"fine": Architecture((Conv(faulty.FINE, kernel=1, bias=False),), Head("average"))}
    with pytest.raises(WorkerError, match="fewer workers"):
        runner.run(trials=20, workers=workers, worker=worker, space=pointwise(1, 60), documented=fine)
    worker.close()
    records = runner.store.records()
    assert len(records) <= 6
    assert [one.failed for one in records if width(one) == faulty.FINE] == [False]


def test_a_mismatch_of_costs_ends_the_run(runner: Any, dataset: Any, pointwise: Any) -> None:
    worker = LocalExecutor(2, trainer="faulty:train", stall_seconds=60.0)
    with pytest.raises(CostMismatchError, match="counted wrongly"):
        runner.run(trials=9, workers=2, worker=worker, space=pointwise(faulty.CHATTY, faulty.MISMATCH), documented={})
    worker.close()


@pytest.mark.slow
def test_a_loss_that_is_no_number_is_recorded_and_the_run_goes_on(runner: Any, dataset: Any) -> None:
    wild = Recipe(epochs=3, batch_size=2, learning_rate=100.0, clip_norm=0.0, schedule="constant")
    worker = LocalExecutor(1, stall_seconds=300.0)
    settings = RunSettings(Budget(3_000), wild, strategy="random", trials=2, lag=1)
    flat = SearchSpace(tree=network_choices(depth=(6, 7), norms={"none": 1}, activations={"linear": 1}))
    with SearchRun(runner.store, "wild", settings, dataset, {}, space=flat) as search:
        outcome = runner.carry_out(search, worker)
    worker.close()
    assert outcome.ending == "finished"
    assert len(outcome.records) == 2
    for record in outcome.records:
        assert record.measurement.failure is not None
        assert "after epoch" in record.measurement.failure
