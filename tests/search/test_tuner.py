"""KerasTuner's loop with our oracle: what KerasTuner does badly must not reach a user."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.errors import CostMismatchError, SpaceError, StoreWriteError
from tinysearch.results.record import Measurement, Record
from tinysearch.search import strategies
from tinysearch.search.candidate import Candidate
from tinysearch.search.strategies import RandomSearch, Strategy
from tinysearch.search.workers.worker import Job


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


def always(measurement: Measurement) -> Callable[[int, Job], Measurement]:
    return lambda number, job: measurement


def test_failures_in_a_row_are_recorded_and_do_not_abort_the_search(
    runner: Any, fake_worker: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = fake_worker(always(Measurement(failure="out of memory")))
    outcome = runner.run(worker=worker, trials=7, strategy="random", documented={})
    assert outcome.ending == "finished"
    assert [record.measurement.failure for record in runner.store.records()] == ["out of memory"] * 7
    assert outcome.best is None
    assert capfd.readouterr() == ("", "")


def test_an_oversized_candidate_never_reaches_the_worker(
    runner: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Oversized(RandomSearch):
        """Proposes what is over the budget fifty times, then something random."""

        def propose(
            self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
        ) -> Candidate:
            self.asked = getattr(self, "asked", 0) + 1
            if self.asked % 51:
                wide = self.problem.space.sample_between(10_000, 100_000, rng)
                assert wide is not None
                return Candidate(wide, self.problem.recipe)
            return super().propose(history, rng)

    monkeypatch.setitem(strategies.STRATEGIES, "oversized", Oversized)
    worker = fake_worker()
    outcome = runner.run(worker=worker, trials=4, strategy="oversized", documented={})
    assert outcome.ending == "finished"
    assert len(worker.jobs) == 4
    assert all(record.cost.params < 10_000 for record in outcome.records)
    assert outcome.rejections["params"] >= 200


def test_a_seed_of_zero_is_a_seed(runner: Any) -> None:
    def keys(name: str, seed: int) -> list[str]:
        return [record.key for record in runner.run(name, trials=5, strategy="random", seed=seed).records]

    assert keys("a", 0) == keys("b", 0)
    assert keys("c", 1) != keys("a2", 0)


def test_the_score_is_the_last_epoch_and_not_the_best(runner: Any) -> None:
    outcome = runner.run(trials=3, strategy="random")
    for record in outcome.records:
        assert record.measurement.curve[0].val_accuracy == 0.999
        assert record.score == record.measurement.curve[-1].val_accuracy != 0.999


def test_an_exception_in_a_strategy_gets_out_and_leaves_no_lock_behind(
    runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_tuner.src.engine import oracle as kt_oracle

    class Broken(Strategy):
        def propose(
            self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
        ) -> Candidate:
            raise SpaceError("broken on purpose")

    monkeypatch.setitem(strategies.STRATEGIES, "broken", Broken)
    with pytest.raises(SpaceError, match="on purpose"):
        runner.run(trials=1, strategy="broken", documented={})
    assert not any(lock.locked() for lock in kt_oracle.LOCKS.values())


@pytest.mark.parametrize(
    "error", [CostMismatchError("counted wrongly"), StoreWriteError("disk full"), TypeError("a bug of ours")]
)
def test_an_error_that_is_not_the_candidates_fault_ends_the_search(
    error: Exception, runner: Any, fake_worker: Any
) -> None:
    def react(number: int, job: Job) -> Measurement | None:
        if number == 2:
            raise error
        return None

    with pytest.raises(type(error), match=str(error)):
        runner.run(worker=fake_worker(react), trials=5, strategy="random", documented={})
    assert len(runner.store.records()) == 2


def test_nothing_is_left_on_disk_but_the_store(runner: Any, tmp_path: Path) -> None:
    runner.run(trials=3, strategy="random")
    assert os.listdir(tmp_path / "cwd") == []  # noqa: PTH208
    left = {path.name.removesuffix("-wal").removesuffix("-shm") for path in tmp_path.iterdir()}
    assert left == {"cwd", "store.db", "store-models"}
    assert {path.name for path in runner.store.folder_of("run").iterdir()} <= {"run.lock"}


def test_a_record_is_in_the_store_before_anyone_is_told(runner: Any) -> None:
    seen: list[int] = []
    search = runner.prepare(trials=3, strategy="random", documented={})

    class Watcher:
        def on_start(self, proposal: Any) -> None:
            seen.append(len(runner.store.records()))

        def on_epoch(self, position: int, number: int, epoch: Any) -> None:
            pass

        def on_record(self, position: int, record: Record, rejections: Any) -> None:
            assert runner.store.records()[-1].key == record.key

    search.carry_out(Watcher())
    assert seen == [0, 1, 2]


def test_keras_tuners_own_trial_has_the_choices_and_the_last_score(runner: Any) -> None:
    from tinysearch.search.oracle import BudgetOracle

    search = runner.prepare(trials=1, strategy="random", documented={})
    oracle = BudgetOracle(search.proposer, search.ledger, lambda: True)
    trial = oracle.create_trial("tuner0")
    architecture = oracle.proposal(trial.trial_id).candidate.architecture
    assert search.space.decode(trial.hyperparameters.values) == architecture
    oracle.update_trial(trial.trial_id, {"val_accuracy": 0.9}, step=0)
    oracle.update_trial(trial.trial_id, {"val_accuracy": 0.7}, step=1)
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert oracle.get_trial(trial.trial_id).score == 0.7
