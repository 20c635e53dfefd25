"""The same call again goes on with the run, whatever was settled when it began."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from stand_ins import FakeWorker, UntrainedWorker

from tinysearch import Architecture, Study
from tinysearch.errors import RunError
from tinysearch.results.record import Measurement
from tinysearch.results.store import Store
from tinysearch.space.architecture import Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import Recipe

NETWORK = Architecture((Conv(7),), Head("average"))
# One architecture after another, of one layer each: nothing that takes long to propose.
NARROW = {"format": 2, "depth": [1], "kinds": ["conv"], "filters": "1..40", "repeats": [1]}
QUICK: dict[str, Any] = {"strategy": "random", "baselines": False, "space": NARROW}
Call = Callable[..., list[Any]]

pytestmark = pytest.mark.filterwarnings("ignore:.*was read as series")


def waves() -> tuple[Any, Any]:
    return np.random.default_rng(0).normal(size=(60, 16, 2)).astype("float32"), np.arange(60) % 3


@pytest.fixture
def call(tmp_path: Path, tiny: Path, untrained_worker: type[UntrainedWorker]) -> Call:
    """Return a function that carries out a run, or goes on with it, and returns its records."""

    def carry_out(trials: int, name: str = "mine", **given: Any) -> list[Any]:
        how = {"data": tiny, "store": tmp_path / "store.db", "name": name, **QUICK, **given}
        with Study(**how) as study:
            study.run(trials, executor=untrained_worker().executor())
            return study.records

    return carry_out


@pytest.mark.parametrize(
    "given",
    [
        {"recipe": "default", "augment": "none"},
        {"recipe": "default", "augment": {"mirroring": 0.5}},
        {"recipe": "default", "augment": "recipe"},
        {"recipe": "default", "epochs": 3},
        {"recipe": "default", "augment": "none", "class_weight": "balanced"},
        {"augment": "none"},
        {"augment": {"mirroring": 0.5}},
        {"initial_candidates": [NETWORK], "augment": "none"},
        {"initial_candidates": [Candidate(NETWORK, Recipe(batch_size=64))], "augment": "none"},
        {"initial_candidates": [NETWORK], "recipe": "default"},
        {"initial_candidates": [NETWORK], "data": waves()},
        {"recipe": "default", "data": waves()},
        {"augment": {"rotation_degrees": 3.0}, "data": waves()},
    ],
    ids=str,
)
def test_the_same_call_goes_on_with_the_run(given: dict[str, Any], call: Call) -> None:
    assert len(call(1, **given)) == 1
    assert len(call(2, **given)) == 2
    if "data" not in given:
        assert len(call(3)) == 3


@pytest.mark.parametrize("again", [{"augment": "auto", "recipe": "default"}, {"recipe": "default"}, {}], ids=str)
def test_an_augmentation_that_was_compared_is_not_compared_again(again: dict[str, Any], call: Call) -> None:
    with pytest.warns(UserWarning, match="augmentation"):
        begun = call(1, augment="auto", recipe="default")
    assert begun[0].recipe == call(2, **again)[1].recipe


def test_what_is_evaluated_or_revalidated_later_leaves_a_finished_run_finished(
    call: Call, tmp_path: Path, tiny: Path, untrained_worker: type[UntrainedWorker]
) -> None:
    call(4, folds=1, evaluate=0)
    with Store(tmp_path / "store.db") as store, Study(name="mine", data=tiny, store=store, resume=True) as study:
        before = store.run("mine").finished_at
        assert before is not None
        study.revalidate(executor=untrained_worker().executor())
        assert store.run("mine").finished_at == before
        study.revalidate(2, executor=untrained_worker().executor())
        study.evaluate(1, executor=untrained_worker().executor())
        assert store.run("mine").finished_at is not None
        assert (store.run("mine").settings["folds"], store.run("mine").settings["evaluate"]) == (2, 1)


def test_a_run_is_finished_when_all_that_its_settings_ask_for_is_done(
    call: Call, tmp_path: Path, tiny: Path, untrained_worker: type[UntrainedWorker]
) -> None:
    call(4, folds=3, evaluate=2)
    with Store(tmp_path / "store.db") as store, Study(name="mine", data=tiny, store=store, resume=True) as study:
        assert store.run("mine").finished_at is None
        study.revalidate(executor=untrained_worker().executor())
        assert store.run("mine").finished_at is None
        study.evaluate(executor=untrained_worker().executor())
        assert store.run("mine").finished_at is not None


def test_where_an_evaluation_failed_another_seed_is_taken_if_one_is_asked_for_and_not_by_the_same_call_of_the_run(
    tiny: Path, tmp_path: Path, untrained_worker: type[UntrainedWorker]
) -> None:
    def fail_evaluations(number: int, job: Job) -> Measurement | None:
        return Measurement(failure="no memory") if job.fold is None else None

    def evaluations(study: Study) -> list[tuple[int, bool]]:
        return [(one.seed, one.failed) for one in study.store.records("mine", purpose="evaluation")]

    given = {"data": tiny, "store": tmp_path / "store.db", "name": "mine", "evaluate": 1, "folds": 1, **QUICK}
    worker = untrained_worker()
    with Study(trials=1, **given) as study:
        assert study.carry_out(executor=FakeWorker(fail_evaluations).executor()).problem is None
        study.carry_out(executor=worker.executor())
        assert (worker.jobs, evaluations(study)) == ([], [(0, True)])
        study.evaluate(executor=worker.executor())
        assert evaluations(study) == [(0, True), (1, False)]


def test_another_augmentation_is_an_error_that_says_so(call: Call) -> None:
    call(1, augment="none")
    with pytest.raises(RunError, match=r"started with mirroring 0\.0, now it is mirroring 0\.5"):
        call(2, augment={"mirroring": 0.5})


@pytest.mark.parametrize(
    ("begun", "now", "how"),
    [
        (None, "recipe", "by the size of each network"),
        (None, "auto", "by the size of each network"),
        ("none", "auto", "as given"),
        ("auto", "none", "chosen by comparison"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*augmentation")
def test_another_way_of_choosing_it_is_an_error_too(begun: str | None, now: str, how: str, call: Call) -> None:
    call(1, augment=begun)
    with pytest.raises(RunError, match=f"started with augmentation {how}, now it is {now!r}"):
        call(2, augment=now)


def test_a_file_of_amounts_is_read_once(tmp_path: Path, tiny: Path, untrained_worker: type[UntrainedWorker]) -> None:
    file = tmp_path / "amounts.json"
    file.write_text('{"mirroring": 0.5}')
    with Study(name="mine", data=tiny, store=tmp_path / "store.db", augment=file, **QUICK) as study:
        study.run(1, executor=untrained_worker().executor())
        file.unlink()
        study.evaluate(1, executor=untrained_worker().executor())
        assert {record.recipe["mirroring"] for record in study.records} == {0.5}


def test_more_trials_that_are_asked_for_while_it_is_evaluated_are_still_to_be_done(
    call: Call, tmp_path: Path, tiny: Path, untrained_worker: type[UntrainedWorker]
) -> None:
    call(2)
    with Store(tmp_path / "store.db") as store, Study(name="mine", data=tiny, store=store, trials=4) as study:
        study.evaluate(1, executor=untrained_worker().executor())
        assert store.run("mine").finished_at is None


def test_initial_candidates_are_augmented_as_the_run_is(call: Call) -> None:
    assert call(1, initial_candidates=[NETWORK], augment="none")[0].recipe["rotation_degrees"] == 0.0
    (first,) = call(1, name="waves", initial_candidates=[NETWORK], data=waves())
    assert first.recipe["rotation_degrees"] == 0.0
    own = Candidate(NETWORK, Recipe(batch_size=64))
    assert call(1, name="own", initial_candidates=[own], augment="none")[0].recipe["rotation_degrees"] == 7.0


def test_a_run_learns_from_as_much_as_there_was_when_it_began(call: Call, tmp_path: Path) -> None:
    call(1, name="before")
    call(1, warm_start=["before"])
    call(2, name="before")
    assert len(call(2, warm_start=["before"])) == 2
    with Store(tmp_path / "store.db") as store:
        assert [one[:2] for one in store.run("mine").settings["warm_start_trials"]] == [["before", 1]]
    with pytest.raises(RunError, match="started with warm_start before, now it is none"):
        call(2, cold=True)
