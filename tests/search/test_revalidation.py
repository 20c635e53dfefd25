from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tinysearch.results.callback import Callback, Stage
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.training import Training
from tinysearch.search.revalidation import ROUND, fold_of, next_round
from tinysearch.search.settings import RunSettings
from tinysearch.search.stages import Stages
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.budget import Budget
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import recipe


def settings(**given: Any) -> RunSettings:
    return RunSettings(Budget(10_000), recipe("default"), **given)


def network(filters: int) -> Architecture:
    return Architecture((Conv(filters),), Head("average"))


def again(record: Record, score: float | None, seed: int) -> Record:
    """Return a revalidation; one that failed without a score."""
    measurement = Measurement((Epoch(1.0, 0.5, 1.0, score, 0.1, 1.0),), 1.0)
    if score is None:
        measurement = Measurement(failure="out of memory")
    return dataclasses.replace(
        record, purpose="revalidation", trial=None, position=None, seed=seed, measurement=measurement
    )


def told(planned: Sequence[Training]) -> list[tuple[str, int]]:
    return [(one.name, one.seed) for one in planned]


@pytest.fixture
def three(as_record: Callable[..., Record]) -> list[Record]:
    """Three candidates that were trained for all of their epochs, the best first."""
    once = recipe("default", epochs=1)
    return [
        dataclasses.replace(
            as_record(network(filters), score), key=Candidate(network(filters), once).key, recipe=once.to_dict()
        )
        for filters, score in ((1, 0.97), (2, 0.96), (3, 0.95))
    ]


def test_two_leaders_are_trained_with_the_next_seeds_however_many_workers_there_are(three: list[Record]) -> None:
    first, second, _ = three
    assert ROUND == 2
    assert told(next_round(three, settings())) == [(first.name, 1), (second.name, 1)]
    assert told(next_round(three, settings(seed=7))) == [(first.name, 8), (second.name, 8)]
    (training, _) = next_round(three, settings())
    assert (training.key, training.purpose, training.fold) == (first.key, "revalidation", 1)


def test_the_lead_goes_to_the_highest_mean_and_the_race_ends_when_the_leader_was_trained_often_enough(
    three: list[Record],
) -> None:
    first, second, third = three
    fell = [*three, again(first, 0.91, 1), again(second, 0.96, 1)]
    # 0.96, 0.95, 0.94
    assert told(next_round(fell, settings())) == [(second.name, 2), (third.name, 1)]
    assert next_round(fell, settings(folds=2)) == []
    more = [*fell, again(second, 0.96, 2), again(third, 0.2, 1)]
    assert next_round(more, settings()) == []
    assert told(next_round(more, settings(folds=4))) == [(second.name, 3), (first.name, 2)]


def test_one_training_is_enough_if_no_more_are_asked_for(three: list[Record]) -> None:
    assert next_round(three, settings(folds=1)) == []
    assert next_round([], settings()) == []


def test_a_revalidation_that_failed_is_tried_no_more_and_has_no_part_in_the_mean(three: list[Record]) -> None:
    failed = [*three, again(three[0], None, 1)]
    assert told(next_round(failed, settings())) == [(three[0].name, 2), (three[1].name, 1)]
    assert next_round([*failed, again(three[0], 0.97, 2)], settings()) == []


def test_what_failed_was_stopped_or_is_an_evaluation_is_not_trained_again(three: list[Record]) -> None:
    first, second, third = three
    failed = dataclasses.replace(first, measurement=Measurement(failure="out of memory"))
    stopped = dataclasses.replace(second, recipe={**second.recipe, "epochs": 5})
    evaluated = dataclasses.replace(third, purpose="evaluation", seed=1)
    assert told(next_round([failed, stopped, third, evaluated], settings())) == [(third.name, 1)]


def test_no_revalidation_holds_out_what_the_search_held_out() -> None:
    folds = [fold_of(seed) for seed in range(1, 19)]
    assert folds == 2 * list(range(1, 10))


def revalidated(runner: Any, run: Any, worker: Any) -> list[Record]:
    """Revalidate the leaders of a run; return what was trained for it."""
    records = Stages(run, worker.executor(2), Callback()).revalidate()
    return [one for one in records if one.purpose == "revalidation"]


def test_rounds_are_stored_and_see_no_test_image(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare(trials=3, workers=2, seed=4, folds=2)
    runner.carry_out(run)
    planned = next_round(runner.store.records("run"), run.settings)
    worker = fake_worker()
    records = revalidated(runner, run, worker)
    assert [(job.seed, job.fold) for job in worker.jobs[:2]] == [(5, 5), (5, 5)]
    assert {job.data.test for job in worker.jobs} == {None}
    assert {job.candidate.key for job in worker.jobs[:2]} == {one.key for one in planned}
    stored = [one for one in runner.store.records("run") if one.purpose == "revalidation"]
    assert [(one.key, one.seed, one.trial, one.position) for one in stored] == [
        (one.key, 5, None, None) for one in records
    ]
    # What was trained before is not trained again.
    idle = fake_worker()
    assert [one.key for one in revalidated(runner, run, idle)] == [one.key for one in records]
    assert idle.jobs == []
    run.close()
    # And the search goes on as if nothing had happened.
    more = runner.run("run", trials=5, workers=2, seed=4, folds=2, resume=True)
    whole = runner.run("whole", trials=5, workers=2, seed=4, folds=2)
    assert [one.key for one in more.records] == [one.key for one in whole.records]


@pytest.mark.parametrize("stop_at", [0, 1, 2, 3])
def test_an_interrupted_revalidation_goes_on_to_the_same_end(stop_at: int, runner: Any, fake_worker: Any) -> None:
    def react(number: int, job: Job) -> Measurement | None:
        if number == stop_at:
            raise KeyboardInterrupt
        return None

    found = {}
    for name in ("whole", "parts"):
        run = runner.prepare(name, trials=5, workers=2, folds=3)
        runner.carry_out(run)
        if name == "parts":
            with pytest.raises(KeyboardInterrupt):
                revalidated(runner, run, fake_worker(react))
        found[name] = {(one.key, one.seed, one.score) for one in revalidated(runner, run, fake_worker())}
        run.close()
    assert len(found["whole"]) >= 4
    assert found["parts"] == found["whole"]


def test_what_was_reused_has_its_revalidations_reused(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare("first", trials=2, folds=2)
    runner.carry_out(run)
    theirs = revalidated(runner, run, fake_worker())
    run.close()
    run = runner.prepare("second", trials=2, folds=2, reuse="same")
    runner.carry_out(run)
    worker = fake_worker()
    own = revalidated(runner, run, worker)
    assert worker.jobs == []
    assert [(one.run, one.reused_from, one.key) for one in own] == [("second", "first", one.key) for one in theirs]
    assert [one.measurement for one in own] == [one.measurement for one in theirs]
    run.close()


def test_rounds_go_on_until_the_leader_is_revalidated(runner: Any, fake_worker: Any) -> None:
    run = runner.prepare(trials=6, workers=2)
    runner.carry_out(run)

    def unlucky(number: int, job: Job) -> Measurement:
        return Measurement((*[Epoch(1.0, 0.5, 1.0, 0.01, 0.1, 1.0)] * 10,), 1.0)

    rounds: list[Stage] = []

    class Rounds(Callback):
        def on_stage_start(self, stage: Stage) -> None:
            rounds.append(stage)

    Stages(run, fake_worker(unlucky).executor(2), Rounds()).revalidate()
    counts: dict[str, int] = {}
    for record in runner.store.records("run"):
        counts[record.key] = counts.get(record.key, 0) + 1
    assert max(counts.values()) == 3
    assert 2 <= len(rounds) <= 2 * len(counts)
    assert [bool(one.text) for one in rounds] == [True] + [False] * (len(rounds) - 1)
