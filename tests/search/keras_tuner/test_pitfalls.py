"""What KerasTuner 1.4.8 does badly, point by point, and that none of it reaches a user."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.errors import CostMismatchError, SpaceError, StoreWriteError
from tinysearch.results.callback import Callback
from tinysearch.results.record import Measurement, Record
from tinysearch.results.training import Training
from tinysearch.search.strategies import registry
from tinysearch.search.strategies.random import RandomSearch
from tinysearch.search.strategies.strategy import Strategy
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "cwd"
    folder.mkdir()
    monkeypatch.chdir(folder)


def always(measurement: Measurement) -> Callable[[int, Job], Measurement]:
    return lambda number, job: measurement


# 1. max_model_size counts trainable weights only, and oversized models use up trials and abort the search.


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

    monkeypatch.setitem(registry.STRATEGIES, "oversized", Oversized)
    worker = fake_worker()
    outcome = runner.run(worker=worker, trials=4, strategy="oversized", documented={})
    assert outcome.ending == "finished"
    assert len(worker.jobs) == 4
    assert all(record.cost.params < 10_000 for record in outcome.records)
    assert outcome.rejections["params"] >= 200


def test_moving_statistics_count(runner: Any) -> None:
    from tinysearch.baselines.models import architectures

    conv = {"conv": architectures()["baseline:conv"]}
    assert runner.prepare("trainable", budget=8_580 + 1, trials=0, documented=conv).baselines == {}
    assert runner.prepare("total", budget=8_640 + 1, trials=0, documented=conv).baselines == conv


# 2. After an abort its directory replays the trial that led to it.


def test_what_keras_tuner_has_left_in_a_folder_is_neither_read_nor_replayed(runner: Any) -> None:
    wedged = Path("untitled_project")
    wedged.mkdir()
    (wedged / "oracle.json").write_text("{cut off in the mid")
    (wedged / "tuner0.json").write_text("")
    assert runner.run(trials=2).ending == "finished"
    assert {path.name for path in wedged.iterdir()} == {"oracle.json", "tuner0.json"}


def test_a_run_that_was_ended_by_an_error_goes_on(runner: Any, fake_worker: Any) -> None:
    def react(number: int, job: Job) -> Measurement | None:
        if number == 4:
            raise CostMismatchError("counted wrongly")
        return None

    with pytest.raises(CostMismatchError):
        runner.run("ended", trials=4, worker=fake_worker(react))
    assert runner.run("ended", trials=4, resume=True).ending == "finished"
    whole = runner.run("whole", trials=4)
    assert [record.key for record in runner.store.records("ended")] == [record.key for record in whole.records]


def test_nothing_is_left_on_disk_but_the_store(runner: Any, tmp_path: Path) -> None:
    runner.run(trials=3, strategy="random")
    assert os.listdir(tmp_path / "cwd") == []  # noqa: PTH208
    left = {path.name.removesuffix("-wal").removesuffix("-shm") for path in tmp_path.iterdir()}
    assert left == {"cwd", "store.db", "store.db-runs"}
    assert {path.name for path in runner.store.folder_of("run").iterdir()} <= {"run.lock"}


def test_no_folder_for_temporary_files_is_needed(runner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere/at/all"])
    assert runner.run(trials=2, strategy="random").ending == "finished"


# 3. A seed of 0 is no seed.


def test_a_seed_of_zero_is_a_seed(runner: Any) -> None:
    def keys(name: str, seed: int) -> list[str]:
        return [record.key for record in runner.run(name, trials=5, strategy="random", seed=seed).records]

    assert keys("a", 0) == keys("b", 0)
    assert keys("c", 1) != keys("a2", 0)


# 4. Its files are truncated in place, and nothing is reloaded when the first trial was interrupted.


def test_a_run_whose_first_trial_was_interrupted_goes_on(runner: Any, fake_worker: Any) -> None:
    def interrupt(number: int, job: Job) -> Measurement | None:
        raise KeyboardInterrupt

    assert runner.run("first", trials=3, documented={}, worker=fake_worker(interrupt)).records == ()
    resumed = runner.run("first", trials=3, documented={}, resume=True)
    whole = runner.run("whole", trials=3, documented={})
    assert [record.key for record in resumed.records] == [record.key for record in whole.records]


# 5. An exception inside an oracle leaves its lock held.


def test_an_exception_in_a_strategy_gets_out_and_leaves_no_lock_behind(
    runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from keras_tuner.src.engine import oracle as kt_oracle

    class Broken(Strategy):
        def propose(
            self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
        ) -> Candidate:
            raise SpaceError("broken on purpose")

    monkeypatch.setitem(registry.STRATEGIES, "broken", Broken)
    # Other tests may have left those of plain KerasTuner.
    before = {id(lock) for lock in kt_oracle.LOCKS.values() if lock.locked()}
    with pytest.raises(SpaceError, match="on purpose"):
        runner.run(trials=1, strategy="broken", documented={})
    assert {id(lock) for lock in kt_oracle.LOCKS.values() if lock.locked()} <= before


# 6. Random search ends after 20 collisions, Bayesian optimisation repeats points.


@pytest.mark.parametrize(
    ("strategy", "workers"),
    [
        *(("random", 1), ("evolution", 2)),
        *(
            pytest.param(*one, marks=pytest.mark.slow)
            for one in (("random", 2), ("evolution", 1), ("bayesian", 1), ("bayesian", 2))
        ),
    ],
)
@pytest.mark.usefixtures("hasty_draws")
def test_a_space_of_twelve_members_is_searched_through_whatever_the_collisions(
    strategy: str, workers: int, runner: Any, pointwise: Any
) -> None:
    outcome = runner.run(trials=100, strategy=strategy, workers=workers, space=pointwise(1, 12), documented={})
    assert outcome.ending == "exhausted"
    assert len({record.key for record in outcome.records}) == len(runner.store.records()) == 12


# 7. A score is the best epoch, and failed trials are among the best.


def test_the_score_is_the_last_epoch_and_not_the_best(runner: Any) -> None:
    outcome = runner.run(trials=3, strategy="random")
    for record in outcome.records:
        assert record.measurement.curve[0].val_accuracy == 0.999
        assert record.score == record.measurement.curve[-1].val_accuracy != 0.999


def test_keras_tuners_own_trial_has_the_choices_and_the_last_score(runner: Any) -> None:
    from tinysearch.search.keras_tuner.oracle import ProposerOracle

    search = runner.prepare(trials=1, strategy="random", documented={})
    oracle = ProposerOracle(search.proposer, search.history, lambda: True)
    trial = oracle.create_trial("tuner0")
    architecture = oracle.proposal(trial.trial_id).candidate.architecture
    assert search.space.decode(trial.hyperparameters.values) == architecture
    oracle.update_trial(trial.trial_id, {"val_accuracy": 0.9}, step=0)
    oracle.update_trial(trial.trial_id, {"val_accuracy": 0.7}, step=1)
    trial.status = "COMPLETED"
    oracle.end_trial(trial)
    assert oracle.get_trial(trial.trial_id).score == 0.7


def test_what_failed_is_never_the_best(runner: Any, fake_worker: Any) -> None:
    def react(number: int, job: Job) -> Measurement | None:
        return Measurement(failure="out of memory") if number % 2 == 0 else None

    outcome = runner.run(trials=5, documented={}, worker=fake_worker(react))
    assert outcome.best is not None
    assert not outcome.best.failed
    from tinysearch.results.leaderboard import rank

    assert len(rank(outcome.records).rows) == 2


# 8. Exceptions in a trial are swallowed.


def test_failures_in_a_row_are_recorded_and_do_not_abort_the_search(
    runner: Any, fake_worker: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    worker = fake_worker(always(Measurement(failure="out of memory")))
    outcome = runner.run(worker=worker, trials=7, strategy="random", documented={})
    assert outcome.ending == "finished"
    assert [record.measurement.failure for record in runner.store.records()] == ["out of memory"] * 7
    assert outcome.best is None
    assert capfd.readouterr() == ("", "")


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


def test_a_record_is_in_the_store_before_anyone_is_told(runner: Any) -> None:
    seen: list[int] = []
    search = runner.prepare(trials=3, strategy="random", documented={})

    class Watcher(Callback):
        def on_trial_start(self, training: Training) -> None:
            seen.append(len(runner.store.records()))

        def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
            assert runner.store.records()[-1].key == record.key

    runner.carry_out(search, watcher=Watcher())
    assert seen == [0, 1, 2]


# 9. Its parallel mode is a server without authentication, and a worker that dies hangs it.


def test_a_server_that_the_environment_names_is_not_asked(runner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    monkeypatch.setenv("KERASTUNER_ORACLE_IP", "192.0.2.1")
    monkeypatch.setenv("KERASTUNER_ORACLE_PORT", "8000")
    assert runner.run(trials=2).ending == "finished"
    assert os.environ["KERASTUNER_TUNER_ID"] == "chief"


# 10. The model of the default values is built before anything else, and must build.


@pytest.mark.slow
def test_default_values_that_cannot_be_built_do_not_matter(runner: Any) -> None:
    from dataclasses import replace

    from tinysearch.space.task import Task

    small = Task((6, 6, 1), 10)
    runner.dataset = replace(runner.dataset, task=small)
    tree = network_choices(kernels={"7x7": 1, "3x3": 1}, paddings={"valid": 1})
    outcome = runner.run(trials=3, space=SearchSpace(small, tree), documented={})
    assert outcome.ending == "finished"
    assert len(outcome.records) == 3
