"""A study from Python. What is trained does not matter here, what becomes of it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from stand_ins import ALIKE, FakeWorker, UntrainedWorker

import tinysearch
from tinysearch import Architecture, Callback, SearchSpace, Study
from tinysearch.data.loading import load
from tinysearch.errors import (
    DatasetError,
    InputError,
    NoTestImagesError,
    RunError,
    StoreError,
    TinySearchWarning,
    WorkError,
)
from tinysearch.results.callback import Stage
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.store import Store
from tinysearch.results.training import Training
from tinysearch.space.architecture import Conv, Head
from tinysearch.space.space_spec import tree_of
from tinysearch.training.job import Job
from tinysearch.workers.threads import ThreadExecutor

Make = Callable[..., Study]
# One architecture after another, of one layer each: nothing that takes long to propose.
NARROW = {"format": 2, "depth": [1], "kinds": ["conv"], "filters": "1..40", "repeats": [1]}
QUICK: dict[str, Any] = {"strategy": "random", "baselines": False, "space": NARROW, "epochs": 2}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def make(path: Path, tiny: Path) -> Make:
    """Return a function that makes a study named ``mine`` that costs little."""

    def study(**given: Any) -> Study:
        how = {} if given.get("resume") is True else QUICK
        return Study(**{"data": tiny, "store": path, "name": "mine", **how, **given})

    return study


def essentials(record: Record) -> Record:
    """Return a record without its time and its run; what is untrained scores on test images as it happens to."""
    return replace(record, created_at="", run="", test_accuracy=None, test_metrics={})


def keys(study: Study) -> list[str]:
    return [record.key for record in study.records]


# Stages


def test_stages_one_by_one_are_the_same_as_all_at_once(
    make: Make, untrained_worker: type[UntrainedWorker], less_tiny: Path
) -> None:
    with make(name="parts", data=less_tiny) as parts:
        executor = untrained_worker(**ALIKE).executor()
        assert len(parts.run(6, executor=executor).records) == 6
        assert [record.purpose for record in parts.records] == ["search"] * 6
        parts.revalidate(2, executor=executor)
        assert {record.purpose for record in parts.records} == {"search", "revalidation"}
        outcome = parts.evaluate(2, executor=executor)
        one, ranked = list(map(essentials, parts.records)), [result.key for result in parts.results]
    with make(name="whole", data=less_tiny, trials=6, folds=2, evaluate=2, reuse="none") as whole:
        assert whole.carry_out(executor=untrained_worker(**ALIKE).executor()).ending == outcome.ending == "finished"
        assert list(map(essentials, whole.records)) == one
        assert len(whole.best.test_accuracies) == 2
        assert [result.key for result in whole.results] == ranked
        assert len(set(ranked)) == 6


@pytest.mark.usefixtures("hasty_draws")
def test_a_search_may_go_on_with_more_trials(make: Make, fake_worker: type[FakeWorker]) -> None:
    def found(name: str, *trials: int) -> list[str]:
        worker = fake_worker()
        with make(name=name, strategy="evolution", reuse="none", cold=True) as study:
            for count in trials:
                study.run(count, executor=worker.executor())
            assert study.store.run(name).settings["trials"] == len(worker.jobs) == trials[-1]
            return keys(study)

    assert found("parts", 2, 3, 5) == found("whole", 5)


@pytest.mark.parametrize("stage", ["revalidate", "evaluate"])
def test_what_follows_a_search_needs_one(make: Make, fake_worker: type[FakeWorker], stage: str) -> None:
    with make() as study, pytest.raises(RunError, match="nothing was searched"):
        getattr(study, stage)(2, executor=fake_worker().executor())


@pytest.mark.usefixtures("hasty_draws")
def test_how_many_are_trained_at_a_time_does_not_matter(make: Make, fake_worker: type[FakeWorker]) -> None:
    def found(name: str, *workers: int) -> list[str]:
        with make(name=name, trials=2 * len(workers), strategy="evolution", reuse="none", cold=True) as study:
            for number, count in enumerate(workers, start=1):
                study.run(2 * number, executor=fake_worker().executor(count))
            return keys(study)

    assert found("one", 1, 1, 1, 1) == found("many", 4, 4, 4, 4) == found("some", 1, 3, 2, 4)


def test_a_study_that_knows_no_name_makes_one_of_dataset_and_budget(make: Make, fake_worker: type[FakeWorker]) -> None:
    with make(name=None, budget=500, trials=0) as study:
        assert (study.name, study.records, study.results) == (None, [], ())
        with pytest.raises(RunError, match="has trained no candidate"):
            _ = study.best
        study.run(executor=fake_worker().executor())
        assert study.name == "tiny-500-1"
    with make(name=None, budget=500, trials=0) as other:
        other.run(executor=fake_worker().executor())
        assert other.name == "tiny-500-2"


# Going on


def test_a_study_goes_on_where_it_was_left_or_begins(make: Make, fake_worker: type[FakeWorker]) -> None:
    worker = fake_worker()
    with make(trials=2) as study:
        study.run(executor=worker.executor())
    with make(trials=3, resume="auto") as study:
        assert len(study.records) == 2
        study.run(executor=worker.executor())
    with make(resume=True) as study:
        assert study.settings.trials == 3
        study.run(4, executor=worker.executor())
        assert len(keys(study)) == len(worker.jobs) == 4
    with make(resume=True, name=None) as latest:
        assert latest.name == "mine"


def test_what_is_not_there_is_not_gone_on_with_and_what_is_there_not_begun_again(
    make: Make, fake_worker: type[FakeWorker], tiny: Path, path: Path
) -> None:
    Store(path, create=True).close()
    with pytest.raises(RunError, match="no run to resume"):
        make(resume=True, name=None)
    with pytest.raises(RunError, match="'mine'"):
        make(resume=True)
    with make(trials=0, resume=False) as study:
        study.run(executor=fake_worker().executor())
    with pytest.raises(RunError, match="'mine' is in the store already"):
        make(resume=False)
    with pytest.raises(RunError, match="digits"):
        make(resume=True, data="digits")
    for given in ("later", 0, 1, None):
        with pytest.raises(RunError, match=f"`resume=` is 'auto', True or False, got {given!r}"):
            make(resume=given)


@pytest.mark.parametrize("name", [None, "mine"])
def test_where_there_is_no_store_nothing_is_gone_on_with_and_none_is_made(name: str | None, tmp_path: Path) -> None:
    path = tmp_path / "runs" / "store.db"
    for call in (tinysearch.open, lambda *names, **where: tinysearch.run(name=name, resume=True, **where)):
        with pytest.raises(StoreError, match="there is no store at"):
            call(name, store=path)
    assert not path.parent.exists()


@pytest.mark.parametrize(("name", "value"), [("seed", 3), ("epochs", 5), ("budget", 400), ("lag", 2), ("threads", 3)])
def test_a_study_does_not_go_on_with_other_settings(
    make: Make, fake_worker: type[FakeWorker], name: str, value: int
) -> None:
    with make(trials=1, threads=1) as study:
        study.run(executor=fake_worker().executor())
    given = {name: value}
    with make(trials=1, resume=True, **given) as study, pytest.raises(RunError, match="was started with"):
        study.run(executor=fake_worker().executor())


def test_what_was_begun_with_a_space_of_its_own_needs_it_again(make: Make, fake_worker: type[FakeWorker]) -> None:
    def space(filters: str) -> SearchSpace:
        return SearchSpace(tree=tree_of({**NARROW, "filters": filters}))

    with make(space=space("1..20"), trials=2) as study:
        outcome = study.run(executor=fake_worker().executor())
        assert all(record.architecture in space("1..20") for record in outcome.records)
    with make(resume=True) as study, pytest.raises(RunError, match="custom SearchSpace"):
        study.run(3, executor=fake_worker().executor())
    with make(resume=True, space=space("1..21")) as study, pytest.raises(RunError, match="another search space"):
        study.run(3, executor=fake_worker().executor())
    with make(resume=True, space=space("1..20")) as study:
        assert len(study.run(3, executor=fake_worker().executor()).records) == 3


# What it begins with


def test_a_study_begins_with_what_it_is_given(make: Make, fake_worker: type[FakeWorker]) -> None:
    network = Architecture((Conv(17),), Head("average"))
    with make(initial_candidates=[network], trials=2, space={}) as study:
        first, second = study.run(executor=fake_worker().executor()).records
        assert first.architecture == network
        assert second.architecture != network


@pytest.mark.usefixtures("hasty_draws")
def test_a_study_learns_from_other_runs_as_far_as_they_were_then(make: Make, fake_worker: type[FakeWorker]) -> None:
    with make(name="before", trials=30) as study:
        study.run(executor=fake_worker().executor())
    found = []
    for name, earlier in (("alone", []), ("after", ["before"])):
        with make(name=name, trials=3, strategy="evolution", warm_start=earlier, reuse="none") as study:
            assert study.settings.warm_start_trials == tuple((one, 30, 0) for one in earlier)
            study.run(executor=fake_worker().executor())
            found.append(keys(study))
    assert found[0] != found[1]
    with pytest.raises(RunError, match="'ghost'"):
        make(name="third", warm_start="ghost")


@pytest.mark.usefixtures("hasty_draws")
def test_a_study_learns_unasked_from_all_on_its_data_unless_it_is_cold(
    make: Make, fake_worker: type[FakeWorker]
) -> None:
    def found(name: str, **given: Any) -> tuple[list[str], Any]:
        with make(name=name, trials=4, designs=0, strategy="evolution", reuse="none", **given) as study:
            study.run(executor=fake_worker().executor())
            return keys(study), study.store.run(name).settings["warm_start_trials"]

    with make(name="before", trials=12) as study:
        study.run(executor=fake_worker().executor())
    warm, learnt = found("warm")
    assert learnt == [["before", 12]]
    cold, nothing = found("cold", cold=True)
    assert nothing == []
    assert warm != cold
    # What was there when it began is all that counts.
    assert found("like it", warm_start=["before"]) == (warm, learnt)


def test_a_study_that_goes_on_learns_from_what_it_began_with(make: Make, fake_worker: type[FakeWorker]) -> None:
    given = {"trials": 8, "designs": 0, "strategy": "evolution", "reuse": "none"}
    with make(name="before", trials=12) as study:
        study.run(executor=fake_worker().executor())
    with make(name="whole", **given) as study:
        study.run(executor=fake_worker().executor())
        whole = keys(study)
    with make(name="parts", **{**given, "trials": 2}, warm_start=["before"]) as study:
        study.run(executor=fake_worker().executor())
    with make(name="later", trials=9, seed=3) as study:
        study.run(executor=fake_worker().executor())
    with make(name="parts", resume=True) as study:
        study.run(8, executor=fake_worker().executor())
        assert keys(study) == whole
        assert study.settings.warm_start_trials == (("before", 12, 0),)
    with make(name="whole", resume=True, cold=True) as study, pytest.raises(RunError, match="warm_start before"):
        study.run(9, executor=fake_worker().executor())


def test_what_is_cold_cannot_learn_from_what_is_named(make: Make) -> None:
    with pytest.raises(RunError, match="leave out `cold=`"):
        make(cold=True, warm_start="before")
    with pytest.raises(RunError, match="'yes'"):
        make(cold="yes")


# Data


def test_data_may_be_arrays_with_and_without_test_images(
    path: Path, tiny_arrays: Mapping[str, np.ndarray], untrained_worker: type[UntrainedWorker]
) -> None:
    train, test = ((tiny_arrays[f"x_{part}"], tiny_arrays[f"y_{part}"]) for part in ("train", "test"))
    with Study(data=(train, test), store=path, name="tested", trials=1, folds=1, evaluate=1, **QUICK) as study:
        study.carry_out(executor=untrained_worker().executor())
        assert len(study.best.test_accuracies) == 1
        assert study.best.record.dataset == "arrays"
    with Study(data=train, store=path, name="untested", trials=1, folds=1, evaluate=1, **QUICK) as study:
        assert study.dataset.fingerprint == load_fingerprint(train, test)
        with pytest.warns(TinySearchWarning, match="no test figures"):
            outcome = study.carry_out(executor=untrained_worker().executor())
        assert (outcome.ending, outcome.problem) == ("finished", None)
        with pytest.raises(NoTestImagesError):
            study.evaluate(executor=untrained_worker().executor())
        assert study.best.test_accuracies == ()


def load_fingerprint(*parts: tuple[np.ndarray, np.ndarray]) -> str:
    return load(parts).fingerprint


def test_data_may_be_a_name_a_path_or_a_dataset(make: Make, tiny: Path) -> None:
    dataset = load(data=tiny)
    for number, given in enumerate((tiny, str(tiny), dataset)):
        with make(data=given, name=str(number)) as study:
            assert study.dataset.fingerprint == dataset.fingerprint
    with make(data="digits") as study:
        assert study.dataset.name == "digits"
    with pytest.raises(DatasetError, match="set"):
        make(data={1, 2})


# What is shown


@pytest.mark.parametrize(
    ("given", "shown"), [({}, True), ({"verbose": 0}, False), ({"verbose": False}, False), ({"verbose": 1}, True)]
)
def test_a_line_is_shown_for_each_training_where_nobody_looks_unless_it_is_said_otherwise(
    given: dict[str, Any], shown: bool, make: Make, fake_worker: type[FakeWorker], capsys: pytest.CaptureFixture[str]
) -> None:
    with make(trials=2, **given) as study:
        study.run(executor=fake_worker().executor())
        names = [record.name for record in study.records]
    said = capsys.readouterr()
    assert said.out == ""
    if not shown:
        assert said.err == ""
    for number, name in enumerate(names if shown else (), start=1):
        (line,) = (one for one in said.err.splitlines() if one.lstrip().startswith(f"{number}/2"))
        assert name in line
        assert "params" in line


def test_what_one_should_know_is_a_warning(make: Make, fake_worker: type[FakeWorker]) -> None:
    with make(trials=1) as study, pytest.warns(TinySearchWarning, match="at most 8 of 9 workers"):
        study.run(executor=fake_worker().executor(9))
    with make(name="async", trials=1, schedule="async", reuse="none") as study:
        study.run(executor=fake_worker().executor(9))


# Callbacks


class Log(Callback):
    """Writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_stage_start(self, stage: Stage) -> None:
        self.lines.append(f"{stage.name} of {stage.total}")

    def on_trial_start(self, training: Training) -> None:
        self.lines.append(f"{training.purpose} {training.trial}")

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        self.lines.append(f"epoch {number}")

    def on_record(self, training: Training, record: Record, rejections: Mapping[str, int]) -> None:
        assert training.key == record.key
        self.lines.append("record")

    def on_stage_end(self, stage: Stage) -> None:
        self.lines.append(f"end of {stage.name}")

    def on_decision(self, text: str) -> None:
        self.lines.append("a decision")

    def on_end(self, ending: str) -> None:
        self.lines.append(ending)


def test_callbacks_hear_of_all_in_its_order(
    make: Make, untrained_worker: type[UntrainedWorker], less_tiny: Path
) -> None:
    logs = Log(), Log()
    with make(data=less_tiny, callbacks=logs, trials=4, folds=2, evaluate=1) as study:
        study.carry_out(executor=untrained_worker(**ALIKE).executor())
    training = ["epoch 1", "epoch 2", "record"]
    expected = [
        "search of 4",
        *(line for trial in range(4) for line in (f"search {trial}", *training)),
        "end of search",
    ]
    expected += ["revalidation of 2", *(2 * ["revalidation None", *training]), "end of revalidation", "a decision"]
    expected += ["evaluation of 1", "evaluation None", *training, "end of evaluation", "finished"]
    assert logs[0].lines == logs[1].lines == expected


@pytest.mark.parametrize(("error", "ending"), [(OSError("full"), "failed"), (KeyboardInterrupt(), "interrupted")])
@pytest.mark.parametrize("where", ["before the stages", "in the search"])
def test_callbacks_hear_of_the_end_whatever_ends_the_work(
    make: Make,
    fake_worker: type[FakeWorker],
    monkeypatch: pytest.MonkeyPatch,
    error: BaseException,
    ending: str,
    where: str,
) -> None:
    def fail(*words: object, **more: object) -> None:
        raise error

    log = Log()
    with make(trials=2, callbacks=[log]) as study:
        if where == "in the search":
            monkeypatch.setattr(Store, "append", fail)
        else:
            monkeypatch.setattr("tinysearch.search.augmentation.settled", fail)
        with pytest.raises(type(error)):
            study.run(executor=fake_worker().executor())
    assert log.lines[-1] == ending
    assert log.lines.count(ending) == 1


def test_callbacks_hear_that_what_follows_a_search_has_failed(make: Make, fake_worker: type[FakeWorker]) -> None:
    log = Log()
    with make(trials=1, callbacks=[log]) as study:
        study.run(executor=fake_worker().executor())
        # This worker keeps no model, of which an evaluation needs one.
        with pytest.raises(WorkError, match="could not be saved"):
            study.evaluate(1, executor=fake_worker().executor())
    assert [line for line in log.lines if line in ("finished", "failed")] == ["finished", "failed"]


@pytest.mark.parametrize("name", ["on_stage_start", "on_trial_start", "on_epoch", "on_record", "on_stage_end"])
def test_a_callback_that_raises_ends_the_work_and_costs_nothing_that_was_finished(
    make: Make, fake_worker: type[FakeWorker], name: str
) -> None:
    def fail(*words: Any) -> None:
        raise ZeroDivisionError("mine")

    broken = Callback()
    setattr(broken, name, fail)
    with make(callbacks=[broken], trials=2) as study:
        with pytest.raises(ZeroDivisionError, match="mine"):
            study.run(executor=fake_worker().executor())
        known = len(study.records)
        assert known >= {"on_record": 1, "on_stage_end": 2}.get(name, 0)
    worker = fake_worker()
    with make(resume=True) as study:
        study.run(executor=worker.executor())
        assert len(study.records) == 2
        assert len(worker.jobs) == 2 - known


def test_the_tuners_summary_of_results_has_the_parameters_of_the_best(
    make: Make, fake_worker: type[FakeWorker], capsys: pytest.CaptureFixture[str]
) -> None:
    with make(trials=2, verbose=0) as study:
        study.run(executor=fake_worker().executor())
        assert study.tuner is not None
        study.tuner.results_summary(1)
        assert f"\nParameters: {study.best.params:,}\n" in capsys.readouterr().out


# How it ends


def test_the_time_limit_is_an_ending_and_the_study_goes_on_later(make: Make, fake_worker: type[FakeWorker]) -> None:
    with make(trials=2) as study:
        outcome = study.run(time_limit=0.0, executor=fake_worker().executor())
        assert (outcome.ending, outcome.records, outcome.best) == ("time limit", (), None)
        assert study.carry_out(time_limit=0.0, executor=fake_worker().executor()).ending == "time limit"
        assert study.run(time_limit=3_600.0, executor=fake_worker().executor()).ending == "finished"
        assert study.run(time_limit=0.0, executor=fake_worker().executor()).ending == "finished"


@pytest.mark.parametrize("verbose", [0, 1])
def test_what_ctrl_c_has_left_is_said_before_it_is_raised(
    verbose: int, make: Make, fake_worker: type[FakeWorker], capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(number: int, job: Job) -> Measurement | None:
        if number == 1:
            raise KeyboardInterrupt
        return None

    with make(trials=3, verbose=verbose) as study:
        with pytest.raises(KeyboardInterrupt):
            study.run(executor=fake_worker(interrupt).executor())
        name, path = study.name, study.store.path
    said = capsys.readouterr().err
    if not verbose:
        assert said == ""
        return
    assert said.splitlines()[-1] == (
        f"interrupted: run {name!r} in {path} keeps 1 finished training; call it again with name={name!r} to continue"
    )


def test_ctrl_c_is_raised_by_a_stage_and_an_ending_of_all(make: Make, fake_worker: type[FakeWorker]) -> None:
    def interrupt(number: int, job: Job) -> Measurement | None:
        if number == 1:
            raise KeyboardInterrupt
        return None

    log = Log()
    with make(trials=3, callbacks=[log]) as study:
        with pytest.raises(KeyboardInterrupt):
            study.run(executor=fake_worker(interrupt).executor())
        assert len(study.records) == 1
        outcome = study.carry_out(executor=fake_worker(interrupt).executor())
        assert (outcome.ending, len(outcome.records), len(study.records)) == ("interrupted", 2, 2)
    assert [line for line in log.lines if line == "interrupted"] == ["interrupted"] * 2


# What it holds


def children() -> set[int]:
    """Return the processes that train for this one."""
    found = set()
    for one in psutil.Process().children(recursive=True):
        if "tinysearch.workers.local.child" in " ".join(one.cmdline()):
            found.add(one.pid)
    return found


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have worker processes train nothing, so that they are there at once."""
    from tinysearch.workers.local.executor import LocalExecutor

    monkeypatch.setitem(LocalExecutor.__init__.__kwdefaults__, "trainer", "gated:train")


@pytest.mark.usefixtures("processes")
def test_worker_processes_live_as_long_as_the_study(make: Make) -> None:
    before = children()
    with make(trials=1) as study:
        study.run(workers=1)
        first = children() - before
        assert len(first) == 1
        study.run(2)
        study.revalidate(2)
        assert children() - before == first
        study.end_workers()
        assert children() == before
        study.run(4, workers=2)
        assert len(children() - before) == 2
    assert children() == before


@pytest.mark.usefixtures("processes")
def test_a_call_leaves_no_worker_processes(path: Path, tiny: Path) -> None:
    before = children()
    given = {"data": tiny, "store": path, "name": "mine", "trials": 1, "folds": 1, "evaluate": 0, **QUICK}
    with tinysearch.run(**given, workers=1) as study:
        assert children() == before
        assert len(study.records) == 1


def test_a_store_that_was_given_is_left_open(make: Make, path: Path, fake_worker: type[FakeWorker]) -> None:
    with Store(path, create=True) as store:
        with make(store=store, trials=1) as study:
            study.run(executor=fake_worker().executor())
        with pytest.raises(RunError):
            make(store=store, resume=False)
        assert len(store.records("mine")) == 1


def test_a_study_may_be_used_by_another_thread_than_made_it(make: Make, fake_worker: type[FakeWorker]) -> None:
    with ThreadPoolExecutor(1) as thread:
        study = thread.submit(make, trials=1).result()
        thread.submit(study.run, executor=fake_worker().executor()).result()
        assert thread.submit(lambda: study.best.key).result() == study.best.key
    study.run(2, executor=fake_worker().executor())
    assert repr(study).startswith("<Study 'mine': tiny, fewer than 10,000 parameters, 2 of 2 trials")
    study.close()
    with pytest.raises(StoreError, match="was closed"):
        _ = study.best


def test_the_working_directory_may_change_while_a_study_is_open(
    make: Make,
    untrained_worker: type[UntrainedWorker],
    fake_worker: type[FakeWorker],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with make(store="runs/store.db", trials=1) as study:
        study.run(executor=untrained_worker().executor())
        best = study.best
        monkeypatch.chdir("elsewhere")
        assert str(study.store.path) == str(Path("runs/store.db"))
        for one in (best, study.best):
            assert one.load().count_params() == one.params
        best.deploy("saved_model", "out")
        assert len(study.store.deployments(best.key)) == 1
        study.run(2, executor=fake_worker().executor())
    assert [one.name for one in Path.cwd().iterdir()] == ["out"]


def test_an_executor_that_was_given_is_left_open(make: Make, fake_worker: type[FakeWorker]) -> None:
    worker = fake_worker()
    executor = worker.executor()
    for name in ("one", "two"):
        with make(name=name, trials=1, reuse="none") as study:
            study.run(executor=executor)
    assert len(worker.jobs) == 2


def test_the_executor_says_how_many_threads_trainings_have_unless_it_is_set(
    make: Make, untrained_worker: type[UntrainedWorker], path: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = untrained_worker()
    executor = worker.executor()
    with make(name="before", trials=1, reuse="none") as study:
        study.run(executor=executor)
    monkeypatch.setattr(executor, "threads_per_job", lambda: 3)
    with make(trials=1, reuse="none") as study:
        study.run(executor=executor)
        assert study.records[0].provenance["threads"] == "3"
    with make(name="set", trials=1, threads=2, reuse="none") as study:
        study.run(executor=executor)
    where: dict[str, Any] = {"store": path, "data": tiny, "executor": executor, "verbose": 0}
    tinysearch.reproduce("conv", **where)
    # A run goes on with those that it began with.
    tinysearch.evaluate("before", seeds=1, **where)
    assert [job.resources.threads for job in worker.jobs] == [1, 3, 2, 3, 1]


def test_what_an_executor_would_not_hear_of_is_refused_and_a_limit_of_memory_comes_with_each_job(
    make: Make, fake_worker: type[FakeWorker]
) -> None:
    worker = fake_worker()
    with make(trials=1) as study:
        for arguments in ({"workers": 2}, {"stall_limit": 60.0}):
            ((name, value),) = arguments.items()
            with pytest.raises(InputError, match=f"`{name}={value}` .* `executor=` .* leave it out"):
                study.run(executor=worker.executor(), **arguments)  # type: ignore[arg-type]
        assert worker.jobs == []
        study.run(executor=worker.executor(), worker_memory=10**9)
        assert [job.resources.memory_bytes for job in worker.jobs] == [10**9]


def test_an_executor_that_is_false_trains_all_the_same(make: Make, fake_worker: type[FakeWorker]) -> None:
    class Queue(ThreadExecutor):
        def __len__(self) -> int:
            return 0

    worker = fake_worker()
    with make(trials=1) as study:
        study.run(executor=Queue(worker.do))
    assert len(worker.jobs) == 1
