from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from stand_ins import ALIKE

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.results.callback import Callback, Stage
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.search.rounds import next_round
from tinysearch.search.stages import Stages
from tinysearch.training.job import Job


@pytest.fixture
def dataset(dataset: Dataset) -> Dataset:
    """Four hundred images, so that forty are validated on: on four there is no difference to be found."""
    train = Images(np.tile(dataset.train.pixels, (10, 1, 1, 1)), np.tile(dataset.train.labels, 10))
    return dataclasses.replace(dataset, train=train)


def revalidated(runner: Any, run: Any, worker: Any) -> list[Record]:
    """Revalidate the leaders of a run; return what was trained for it."""
    records = Stages(run, worker.executor(2), Callback()).revalidate()
    return [one for one in records if one.purpose == "revalidation"]


def test_rounds_are_stored_and_see_no_test_image(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare(trials=6, workers=2, seed=4, folds=2, documented={})
    runner.carry_out(run, fake_worker(**ALIKE))
    planned = next_round(runner.store.records("run"), run.settings, 40)
    assert planned is not None
    assert len(planned.left) == 3
    worker = fake_worker(**ALIKE)
    records = revalidated(runner, run, worker)
    assert [(job.seed, job.fold) for job in worker.jobs] == [(5, 5)] * 3
    assert {job.data.test for job in worker.jobs} == {None}
    assert {job.candidate.key for job in worker.jobs} == {one.key for one in planned.left}
    stored = [one for one in runner.store.records("run") if one.purpose == "revalidation"]
    assert [(one.key, one.seed, one.trial, one.position) for one in stored] == [
        (one.key, 5, None, None) for one in records
    ]
    # What was trained before is not trained again.
    idle = fake_worker(**ALIKE)
    assert {one.key for one in revalidated(runner, run, idle)} == {one.key for one in records}
    assert idle.jobs == []
    run.close()
    # And the search goes on as if nothing had happened.
    how = {"trials": 8, "workers": 2, "seed": 4, "folds": 2, "documented": {}}
    more = runner.run("run", worker=fake_worker(**ALIKE), resume=True, **how)
    whole = runner.run("whole", worker=fake_worker(**ALIKE), **how)
    searched = [[one.key for one in outcome.records if one.purpose == "search"] for outcome in (more, whole)]
    assert searched[0] == searched[1]


@pytest.mark.parametrize(
    ("stop_at", "workers"),
    [
        *((1, 1), (4, 5)),
        *(pytest.param(*one, marks=pytest.mark.slow) for one in ((0, 1), (3, 1), (4, 1), (0, 5), (1, 5), (3, 5))),
    ],
)
def test_an_interrupted_revalidation_goes_on_to_the_same_end(
    stop_at: int, workers: int, runner: Any, fake_worker: Any
) -> None:
    def react(number: int, job: Job) -> Measurement | None:
        if number == stop_at:
            raise KeyboardInterrupt
        return None

    found = {}
    for name in ("whole", "parts"):
        run = runner.prepare(name, trials=10, workers=2, folds=4, documented={})
        runner.carry_out(run, fake_worker(**ALIKE))
        if name == "parts":
            with pytest.raises(KeyboardInterrupt):
                Stages(run, fake_worker(react, **ALIKE).executor(workers), Callback()).revalidate()
        found[name] = {(one.key, one.seed, one.score) for one in revalidated(runner, run, fake_worker(**ALIKE))}
        run.close()
    assert len(found["whole"]) == 5
    assert len({seed for _, seed, _ in found["whole"]}) == 2
    assert found["parts"] == found["whole"]


def test_what_was_reused_has_its_revalidations_reused(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare("first", trials=6, folds=2, documented={})
    runner.carry_out(run, fake_worker(**ALIKE))
    theirs = revalidated(runner, run, fake_worker(**ALIKE))
    assert len(theirs) == 3
    run.close()
    run = runner.prepare("second", trials=6, folds=2, reuse="same", documented={})
    runner.carry_out(run, fake_worker(**ALIKE))
    worker = fake_worker(**ALIKE)
    own = revalidated(runner, run, worker)
    assert worker.jobs == []
    assert {(one.run, one.reused_from, one.key) for one in own} == {("second", "first", one.key) for one in theirs}
    assert sorted(one.score for one in own) == sorted(one.score for one in theirs)
    run.close()


class Heard(Callback):
    """Remembers stages and decisions."""

    def __init__(self) -> None:
        self.stages: list[Stage] = []
        self.ended: list[Stage] = []
        self.decisions: list[str] = []

    def on_stage_start(self, stage: Stage) -> None:
        self.stages.append(stage)

    def on_stage_end(self, stage: Stage) -> None:
        self.ended.append(stage)

    def on_decision(self, text: str) -> None:
        self.decisions.append(text)


def test_each_round_is_a_stage_and_the_end_is_told_with_its_reason(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare(trials=12, workers=2, documented={}, strategy="random")
    runner.carry_out(run, fake_worker(**ALIKE))
    heard = Heard()
    worker = fake_worker(**ALIKE)
    Stages(run, worker.executor(2), heard).revalidate()
    assert len(worker.jobs) == 5
    assert heard.ended == heard.stages
    assert sum(stage.total for stage in heard.stages) == 5
    assert [f"round {number} of at most 3" in stage.text for number, stage in enumerate(heard.stages, 1)] == [
        True
    ] * len(heard.stages)
    (said,) = heard.decisions
    winner = ranked(runner.store.records("run"))[0]
    assert said.startswith(f"{winner.first.name} leads with ")
    assert said.endswith(f"(n={winner.val_seeds}) after 5 revalidations")
    run.close()


def test_where_all_are_perfect_nothing_is_trained_and_the_end_is_told(runner: Any, fake_worker: Any) -> None:
    perfect = lambda number, job: Measurement((*[Epoch(1.0, 0.5, 1.0, 1.0, 0.1, 1.0)] * 10,), 1.0)  # noqa: E731
    run = runner.prepare(trials=6, workers=2, documented={})
    runner.carry_out(run, fake_worker(perfect))
    heard = Heard()
    worker = fake_worker(perfect)
    Stages(run, worker.executor(2), heard).revalidate()
    assert (worker.jobs, heard.stages) == ([], [])
    assert "no difference that these data can show: 6 candidates classify all 40 " in heard.decisions[0]
    run.close()


def test_one_fold_tells_nothing(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare(trials=4, workers=2, folds=1, documented={})
    runner.carry_out(run, fake_worker(**ALIKE))
    heard = Heard()
    Stages(run, fake_worker().executor(2), heard).revalidate()
    assert (heard.stages, heard.decisions) == ([], [])
    run.close()
