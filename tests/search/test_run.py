from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from stand_ins import Trainer, Worker

from tinysearch.errors import BudgetError, RunError
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.space import footprint
from tinysearch.space.budget import Budget
from tinysearch.training.job import Job, Outcome


def essentials(records: list[Record]) -> list[tuple[Any, ...]]:
    return [(one.key, one.name, one.trial, one.seed, one.measurement) for one in records]


def rejected(runner: Any, name: str) -> Counter[str]:
    """Return what the store knows of the rejections of a run."""
    counted = Counter(runner.store.run(name).rejections)
    for record in runner.store.records(name):
        counted.update(record.rejections)
    return counted


@pytest.mark.parametrize("strategy", ["evolution", "random"])
@pytest.mark.parametrize("stop_at", [0, 2, 9])
def test_an_interrupted_run_continues_as_if_nothing_had_happened(
    strategy: str, stop_at: int, runner: Any, fake_worker: Any
) -> None:
    whole = runner.run("whole", trials=12, strategy=strategy)

    def interrupt(number: int, job: Job) -> Measurement | None:
        if number == stop_at:
            raise KeyboardInterrupt
        return None

    first = runner.run("parts", trials=12, strategy=strategy, worker=fake_worker(interrupt))
    assert first.ending == "interrupted"
    assert len(first.records) == len(runner.store.records("parts")) == stop_at
    second = runner.run("parts", trials=12, strategy=strategy, resume=True)
    assert second.ending == "finished"
    assert essentials(runner.store.records("parts")) == essentials(runner.store.records("whole"))
    assert second.rejections == whole.rejections == rejected(runner, "parts")


def test_more_trials_of_a_finished_run_go_on_where_it_ended(runner: Any) -> None:
    runner.run("long", trials=9)
    runner.run("short", trials=5)
    runner.run("short", trials=9, resume=True)
    assert essentials(runner.store.records("short")) == essentials(runner.store.records("long"))
    assert runner.store.run("short").settings["trials"] == 9


def test_resuming_a_finished_run_trains_nothing(runner: Any, fake_worker: Any) -> None:
    runner.run(trials=3)
    worker = fake_worker()
    assert len(runner.run(trials=3, resume=True, worker=worker).records) == 6
    assert worker.jobs == []


def test_baselines_are_trained_first_with_the_runs_own_recipe_and_are_no_trials(runner: Any) -> None:
    records = runner.run(trials=2).records
    assert [record.name for record in records[:3]] == ["baseline:conv", "baseline:separable", "baseline:inception"]
    assert [record.origin for record in records] == ["baseline"] * 3 + ["search"] * 2
    assert [record.trial for record in records] == [None, None, None, 0, 1]
    assert len({record.recipe["learning_rate"] for record in records}) == 1


def test_baselines_can_be_left_out(runner: Any) -> None:
    assert [record.origin for record in runner.run(trials=2, baselines=False).records] == ["search"] * 2


def test_a_run_that_differs_in_anything_but_its_trials_is_not_resumed(runner: Any) -> None:
    runner.run(trials=1, seed=4)
    with pytest.raises(RunError, match=r"seed 4.*5"):
        runner.prepare(trials=1, seed=5, resume=True)
    with pytest.raises(RunError, match="strategy"):
        runner.prepare(trials=1, seed=4, strategy="random", resume=True)
    with pytest.raises(RunError, match="budget"):
        runner.prepare(trials=1, seed=4, budget=9_000, resume=True)


def test_a_run_is_not_resumed_on_other_data(runner: Any) -> None:
    runner.run(trials=1)
    runner.dataset = replace(runner.dataset, fingerprint="another")
    with pytest.raises(RunError, match="another"):
        runner.prepare(trials=1, resume=True)


def test_a_taken_name_is_refused_with_the_remedies(runner: Any) -> None:
    runner.run("mine", trials=0)
    with pytest.raises(RunError, match=r"mine.*`resume=True`.*`name=`"):
        runner.prepare("mine", trials=1)


def test_a_budget_that_nothing_meets_is_refused_at_once_with_the_smallest_member(runner: Any) -> None:
    with pytest.raises(BudgetError, match="smallest one has 21"):
        runner.prepare(budget=21, trials=1)
    assert runner.store.runs() == []


def test_a_time_limit_ends_the_run_before_a_trial_that_would_not_fit(runner: Any, fake_worker: Any) -> None:
    worker = fake_worker(lambda number, job: Measurement((Epoch(1.0, 0.5, 1.0, 0.5, 0.1, 1.0),), 10.0 + 990 * number))
    outcome = runner.run(trials=50, strategy="random", time_limit=900.0, documented={}, worker=worker)
    assert outcome.ending == "time limit"
    assert len(outcome.records) == 2
    assert runner.store.run("run").finished_at is None


def test_a_training_that_outlasts_the_time_limit_is_stopped(runner: Any) -> None:
    class Endless(Worker):
        def train(self, job: Job, on_epoch: Any) -> Measurement:
            threading.Event().wait()
            raise AssertionError

    outcome = runner.run(trials=5, time_limit=0.1, worker=Endless(), workers=2)
    assert (outcome.ending, outcome.records) == ("time limit", ())
    assert runner.run(trials=5, resume=True, workers=2).ending == "finished"


def test_what_another_run_has_trained_identically_is_reused(runner: Any, fake_worker: Any) -> None:
    first = runner.run("first", trials=4)
    worker = fake_worker()
    second = runner.run("second", trials=6, worker=worker, reuse="same")
    assert len(worker.jobs) == 2
    assert essentials(list(second.records))[:7] == essentials(list(first.records))
    assert [record.reused_from for record in second.records] == ["first"] * 7 + [None] * 2
    assert [record.reused_from for record in runner.store.records("second")] == ["first"] * 7 + [None] * 2
    third = runner.run("third", trials=6, reuse="same")
    assert [record.reused_from for record in third.records] == ["first"] * 7 + ["second"] * 2
    assert {record.reused_from for record in runner.run("fourth", trials=6).records} == {None}


@pytest.mark.parametrize("change", [{"seed": 1}, {"fingerprint": "another"}])
def test_nothing_is_reused_from_another_seed_or_other_data(change: dict[str, Any], runner: Any) -> None:
    runner.run("first", trials=2, strategy="random")
    if "fingerprint" in change:
        runner.dataset = replace(runner.dataset, **change)
        change = {}
    second = runner.run("second", trials=2, strategy="random", reuse="same", **change)
    assert {record.reused_from for record in second.records} == {None}


def test_a_failure_is_not_reused(runner: Any, fake_worker: Any) -> None:
    failing = fake_worker(lambda number, job: Measurement(failure="out of memory"))
    runner.run("first", trials=2, worker=failing)
    assert not any(record.failed for record in runner.run("second", trials=2, reuse="same").records)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("trials", -1),
        ("seed", -1),
        ("seed", 2**31),
        ("strategy", "annealing"),
        ("lag", 0),
        ("threads", 0),
        ("schedule", "now"),
    ],
)
def test_settings_out_of_range_are_refused(setting: str, value: Any, runner: Any) -> None:
    with pytest.raises(RunError):
        runner.prepare(**{"trials": 1, setting: value})


def test_only_the_models_of_the_best_few_are_kept(runner: Any, fake_worker: Any) -> None:
    class Saving(Trainer):
        inner = fake_worker()

        def do(self, job: Job, data: Any, on_epoch: Any) -> Outcome:
            assert job.keep_model
            return Outcome(self.inner.train(job, on_epoch), job.candidate.key.encode())

    outcome = runner.run(trials=12, strategy="random", worker=Saving())
    ranked = sorted(outcome.records, key=lambda record: -record.score)
    kept = {path.stem for path in runner.store.folder_of("run").glob("*.keras")}
    assert kept == {record.key for record in ranked[:5]}
    for path in runner.store.folder_of("run").glob("*.keras"):
        assert path.read_text() == path.stem


def test_a_new_run_has_no_model_of_an_earlier_one_of_its_name(runner: Any) -> None:
    folder = runner.store.folder_of("run")
    (folder / "evaluations").mkdir(parents=True)
    for name in ("left.keras", "evaluations/left-0.keras"):
        (folder / name).write_text("weights")
    runner.run("run", trials=1)
    assert list(folder.rglob("left*")) == []


def test_a_name_that_is_taken_costs_the_earlier_run_no_model(runner: Any) -> None:
    runner.run("run", trials=1)
    kept = runner.store.folder_of("run") / "kept.keras"
    kept.write_text("weights")
    with pytest.raises(RunError, match="'run'"):
        runner.prepare("run", trials=1)
    assert kept.exists()


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_name_that_is_none_is_refused(name: str, runner: Any) -> None:
    with pytest.raises(RunError, match="name of a run"):
        runner.prepare(name, trials=1)


def test_every_record_can_be_traced(runner: Any) -> None:
    record = runner.run(trials=1).records[-1]
    assert record.fingerprint == runner.dataset.fingerprint
    assert {"python", "tensorflow", "keras", "keras-tuner", "numpy", "tinysearch"} <= set(record.provenance)
    assert record.provenance["tensorflow"]


def test_baselines_that_were_trained_stay_although_they_are_over_the_limits_now(
    runner: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    budget = Budget(10_000, flash_bytes=12_000)
    begun = runner.run("r", trials=3, budget=budget)
    assert "baseline:conv" in {one.name for one in begun.records}
    # As if flash had been counted otherwise when the run was begun.
    monkeypatch.setattr(footprint, "_ENTRY", 2_000)
    assert "baseline:conv" not in runner.prepare("other", budget=budget).baselines
    assert [one.key for one in runner.run("r", trials=3, budget=budget, resume=True).records] == [
        one.key for one in begun.records
    ]
