from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FunctionType
from typing import Any, NamedTuple

import pytest
from stand_ins import ALIKE, FakeWorker, UntrainedWorker

import tinysearch
from tinysearch import Result, Study
from tinysearch.data.loading import load
from tinysearch.errors import BudgetError, RunError, TrainingError, WorkError
from tinysearch.results import archive
from tinysearch.results.leaderboard import Leaderboard, rank
from tinysearch.results.ranking import best_below
from tinysearch.results.record import Measurement, Record
from tinysearch.results.store import Store
from tinysearch.search.evaluation import winners_of
from tinysearch.space.architecture import Conv, Head
from tinysearch.space.budget import Verdict
from tinysearch.space.constraint import Constraint
from tinysearch.training.job import Job

NETWORK = tinysearch.Architecture((Conv(4), Conv(8)), Head("average"))
TASK = tinysearch.Task()

# What is exported


def test_the_exported_names_are_these() -> None:
    assert tinysearch.__all__ == [
        "Architecture",
        "Budget",
        "Callback",
        "Cost",
        "Frontier",
        "InputError",
        "Objective",
        "Reading",
        "Recipe",
        "Result",
        "SearchSpace",
        "Study",
        "Task",
        "TinySearchError",
        "TinySearchWarning",
        "WorkError",
        "build",
        "cost",
        "evaluate",
        "executors",
        "frontier",
        "keras_tuner",
        "open",
        "reproduce",
        "run",
        "testing",
    ]
    assert dir(tinysearch) == tinysearch.__all__


@pytest.mark.parametrize("name", tinysearch.__all__)
def test_every_exported_name_is_there(name: str) -> None:
    assert getattr(tinysearch, name).__doc__


def test_an_unknown_name_is_an_attribute_error_that_names_it() -> None:
    with pytest.raises(AttributeError, match="'nonsense'"):
        _ = tinysearch.nonsense


def test_the_package_and_the_function_do_not_share_a_name() -> None:
    import tinysearch.search.strategies.registry as registry

    assert tinysearch.search.strategies.registry is registry
    assert isinstance(tinysearch.run, FunctionType)


# A search


class Made(NamedTuple):
    """What a search gave, and where its store is."""

    best: Result
    results: tuple[Result, ...]
    leaderboard: Leaderboard
    records: list[Record]
    folder: Path


@pytest.fixture
def made(tiny: Path, once: Callable[..., Made], trained_here: None) -> Made:
    """Search for a single candidate below the smallest hand-designed baseline."""

    def one_candidate(folder: Path) -> Made:
        given = {"budget": 3_077, "data": tiny, "trials": 1, "epochs": 1, "evaluate": 2}
        with tinysearch.run(**given, store=folder / "store.db", name="one") as study:
            return Made(study.best, study.results, study.leaderboard, study.records, folder)

    return once(one_candidate)


@pytest.fixture
def copied(made: Made, tmp_path: Path) -> Made:
    """What was made, with a copy of its folder, for tests that change the store or take the lock of the run."""
    return made._replace(folder=Path(shutil.copytree(made.folder, tmp_path / "copied")))


@pytest.fixture
def reopened(copied: Made, tiny: Path, trained_here: None) -> Iterator[Study]:
    with tinysearch.open("one", store=copied.folder / "store.db", data=tiny) as study:
        yield study


def test_a_search_trains_what_was_asked_for(made: Made) -> None:
    searched = [record for record in made.records if record.purpose == "search"]
    assert [(record.origin, record.epochs) for record in searched] == [("search", 1)]
    assert made.best.record == searched[0]
    assert made.best.params < 3_077


def test_a_search_ends_in_a_leaderboard_of_its_records(made: Made) -> None:
    with Store(made.folder / "store.db") as store:
        assert made.records == store.records("one")
        assert made.leaderboard.rows == rank(store.records("one")).rows
        assert store.run("one").finished_at is not None
    assert [row.key for row in made.leaderboard.rows] == [one.record.key for one in made.results]


def test_the_best_is_the_first_result_and_tells_its_accuracy(made: Made) -> None:
    assert made.best == made.results[0]
    assert made.best.val_accuracy == made.leaderboard.rows[0].val_accuracy
    # A single candidate has nobody to race against.
    assert len(made.best.revalidations) == 0
    assert made.leaderboard.rows[0].val_seeds == 1
    assert made.best.task == tinysearch.Task((28, 28, 1), 10)


def test_the_winner_has_a_test_accuracy_for_each_seed(made: Made) -> None:
    assert len(made.best.test_accuracies) == 2
    assert all(0 <= one <= 1 for one in made.best.test_accuracies)
    assert made.leaderboard.rows[0].test_seeds == 2


def test_a_study_that_was_carried_out_can_be_opened_again(made: Made, tiny: Path) -> None:
    with tinysearch.open("one", store=made.folder / "store.db", data=tiny) as study:
        assert (study.best, study.records) == (made.best, made.records)
        assert (study.settings.trials, study.settings.recipe.epochs, study.settings.evaluate) == (1, 1, 2)
    with tinysearch.open(store=made.folder / "store.db", data=tiny) as latest:
        assert latest.name == "one"
    with pytest.raises(tinysearch.TinySearchError, match="'two'"):
        tinysearch.open("two", store=made.folder / "store.db", data=tiny)
    with pytest.raises(tinysearch.TinySearchError, match="digits"):
        tinysearch.open("one", store=made.folder / "store.db", data="digits")


def test_the_same_call_again_trains_nothing(copied: Made, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinysearch.workers.threads.ThreadExecutor.submit", lambda *words: pytest.fail("it trained"))
    given = {"budget": 3_077, "data": tiny, "trials": 1, "epochs": 1, "evaluate": 2}
    with tinysearch.run(**given, store=copied.folder / "store.db", name="one") as study:
        assert study.records == copied.records


def test_the_best_can_be_built_and_has_the_parameters_it_claims(made: Made) -> None:
    model = made.best.build()
    counted = tinysearch.cost(made.best.architecture, made.best.task)
    assert model.count_params() == made.best.params == counted.params
    assert model.input_shape == (None, 28, 28, 1)
    assert model.output_shape == (None, 10)


def test_the_best_becomes_a_file_for_a_device(
    reopened: Study, made: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    best = reopened.best
    done = best.deploy("tflite", tmp_path / "out")
    said = capsys.readouterr().err.splitlines()
    assert said[0].startswith(f"{best.record.name} as a LiteRT model in {tmp_path / 'out'}; accuracy on ")
    assert "Keras " in said[0]
    assert "LiteRT int8 " in said[0]
    assert said[1:] == list(done.findings.verdict)
    assert reopened.store.deployments(best.key) == [json.loads((tmp_path / "out" / "deployment.json").read_text())]
    assert (tmp_path / "out" / "model.tflite").exists()
    assert done.findings.comparisons["LiteRT int8"].agreement > 0.8
    with pytest.raises(tinysearch.TinySearchError, match="'elf'"):
        best.deploy("elf", tmp_path / "other")
    assert not (tmp_path / "other").exists()
    with pytest.raises(tinysearch.TinySearchError, match="belongs to no study"):
        made.best.deploy("c", tmp_path / "other")


def test_a_silent_study_deploys_in_silence(copied: Made, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with tinysearch.open("one", store=copied.folder / "store.db", verbose=0) as study:
        study.best.deploy("saved_model", tmp_path / "out")
    assert capsys.readouterr().err == ""


def test_the_trained_model_takes_raw_pixels_and_is_as_good_as_it_was(made: Made, tiny: Path) -> None:
    held_out = load(data=tiny).training_data().validation
    assert held_out is not None
    guesses = made.best.load().predict(held_out.pixels, verbose=0).argmax(axis=1)
    assert (guesses == held_out.labels).mean() == pytest.approx(made.best.record.measurement.val_accuracy)


def test_a_model_that_was_not_kept_is_an_error(made: Made, tmp_path: Path) -> None:
    gone = tinysearch.Result(made.best.record, made.best.task, tmp_path / "gone.keras")
    with pytest.raises(tinysearch.TinySearchError, match="gone"):
        gone.load()
    gone.model_path.write_bytes(b"half of a mod")
    with pytest.raises(tinysearch.InputError, match="cannot be loaded"):
        gone.load()


def test_networks_that_are_built_have_weights_of_their_own_which_the_global_seed_decides(made: Made) -> None:
    import keras

    def first_weights(seed: int | None = None) -> list[float]:
        if seed is not None:
            keras.utils.set_random_seed(seed)
        return made.best.build().get_weights()[0].ravel().tolist()

    one = first_weights(1)
    assert first_weights() != one
    assert first_weights(1) == one


# What it refuses, before anything is trained


def test_a_space_whose_lists_were_ranges_is_a_warning_that_shows_the_new_form(tmp_path: Path) -> None:
    given = {"dataset": "cats", "store": tmp_path / "store.db"}
    with (
        pytest.warns(FutureWarning, match=r'"format": 2, "depth": "1\.\.6"') as warned,
        pytest.raises(ValueError, match="'cats'"),
    ):
        tinysearch.run(space={"depth": [1, 6]}, **given)
    assert [one.filename for one in warned] == [__file__]
    for space in ({"kinds": ["conv"]}, {"format": 2, "depth": [1, 6]}):
        with pytest.raises(ValueError, match="'cats'"):
            tinysearch.run(space=space, **given)


@pytest.mark.parametrize("strategy", ["pareto", "random"])
def test_a_frontier_warns_of_it_where_it_is_called(strategy: str, tiny: Path, tmp_path: Path) -> None:
    given: dict[str, Any] = {"data": tiny, "store": tmp_path / "store.db", "reuse": "never", "strategy": strategy}
    with pytest.warns(FutureWarning) as warned, pytest.raises(RunError, match="`reuse=` is one of"):
        tinysearch.frontier([1_000], space={"depth": [1, 6]}, **given)
    assert [one.filename for one in warned if one.category is FutureWarning] == [__file__]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"budget": 0}, "0"),
        ({"budget": 3}, "budget of 3"),
        ({"trials": -1}, "-1"),
        ({"epochs": 0}, "0"),
        ({"seed": -5}, "-5"),
        ({"strategy": "luck"}, "'luck'"),
        ({"space": {"widths": [8]}}, "'widths'"),
        ({"dataset": "cats", "data": None}, "'cats'"),
        ({"data": 3}, "int"),
        ({"lag": 0}, "0"),
        ({"schedule": "soon"}, "'soon'"),
        ({"trails": 3}, "'trails'; did you mean 'trials'"),
        ({"verbos": 0}, "'verbos'; did you mean 'verbose'"),
        ({"strategy": "baysian"}, "'baysian'; did you mean 'bayesian'"),
        ({"strategy": "optuna:TPSampler"}, "did you mean 'optuna:TPESampler'"),
        ({"data": "fashion-mnist"}, "'fashion-mnist'; did you mean 'fashion_mnist'"),
        ({"data": "minst"}, "'minst'; did you mean 'mnist'"),
        ({"recipe": {"epoch": 3}}, "'epoch'; .* did you mean 'epochs'"),
        ({"objective": "acuracy"}, "'acuracy'; did you mean 'accuracy'"),
        ({"budget": "ten"}, "'ten'"),
        ({"budget": True}, "True"),
        ({"budget": 1e4 + 0.5}, "10000.5"),
        ({"data": "missing.npz"}, "missing.npz"),
        ({"workers": "two"}, "`workers=` is a whole number of at least 1, got 'two'"),
        ({"workers": 0}, "`workers=` is a whole number of at least 1, got 0"),
        ({"workers": True}, "`workers=` .* got True"),
        ({"time_limit": "1h"}, "`time_limit=` is a number of seconds, at least 0, got '1h'"),
        ({"time_limit": -1}, "`time_limit=` .* got -1"),
        ({"time_limit": float("nan")}, "`time_limit=` .* got nan"),
        ({"name": ""}, "the name of a run has 1 to .* got ''"),
        ({"name": 5}, "`name=` is a text, the name of a run, got 5"),
        ({"store": 5}, "`store=` is the path of a file or a Store, got 5"),
        ({"baselines": "none"}, "`baselines=` is True or False, got 'none'"),
        ({"prune": "yes"}, "`prune=` is True or False, got 'yes'"),
        ({"tune_recipe": "x"}, "`tune_recipe=` is True or False, got 'x'"),
        ({"executor": "ray"}, r"`executor=` is an Executor, such as tinysearch\.executors\.Ray\(\) .*, got 'ray'"),
        ({"executor": tinysearch.executors.Local}, "`executor=` is an Executor, .*, got <class"),
        ({"reading": "hwc"}, r"`reading=` is a tinysearch\.Reading, such as Reading\(layout='hwc'\), got 'hwc'"),
        ({"augment": 3}, "`augment=` is 'auto', 'none', 'recipe', a mapping of amounts .*, got 3"),
        ({"space": 3}, "`space=` is a SearchSpace, a mapping, or the path of a JSON file, got 3"),
        ({"initial_candidates": 3}, "`initial_candidates=` is a list of architectures or candidates, got 3"),
        ({"strategy": None}, "`strategy=` is a name or a Strategy, got None"),
        ({"device": ["rp2040"]}, r"the devices are .*; got \['rp2040'\]"),
        ({"max_flash": 0}, "`max_flash=` is a whole number of bytes, at least 1; got 0"),
        ({"max_ram": []}, r"`max_ram=` is a whole number of bytes, at least 1; got \[\]"),
        ({"max_macs": 0}, "`max_macs=` is a whole number of multiply-accumulates, at least 1; got 0"),
    ],
)
def test_what_cannot_be_used_is_a_value_error_that_names_it(
    arguments: dict[str, object], words: str, tiny: Path, tmp_path: Path
) -> None:
    given = {"data": tiny, "trials": 1, "epochs": 1, "store": tmp_path / "store.db", **arguments}
    with pytest.raises(ValueError, match=words) as caught:
        tinysearch.run(**given)  # type: ignore[arg-type]
    assert isinstance(caught.value, tinysearch.TinySearchError)


@pytest.mark.parametrize(
    ("call", "arguments", "words"),
    [
        (tinysearch.open, {"name": 3}, "`name=` is a text, the name of a run, got 3"),
        (tinysearch.frontier, {"name": 3}, "`name=` is a text"),
        (tinysearch.frontier, {"workers": 0}, "`workers=` .* got 0"),
        (tinysearch.Study, {"verbose": "no"}, "`verbose=` is True or False, got 'no'"),
        (tinysearch.frontier, {"verbose": "no"}, "`verbose=` .* got 'no'"),
        (tinysearch.evaluate, {"run": "one", "verbose": "no"}, "`verbose=` .* got 'no'"),
        (tinysearch.reproduce, {"verbose": "no"}, "`verbose=` .* got 'no'"),
        (tinysearch.frontier, {"warm_start": 5}, "`warm_start=` is the name of a run, or several names, got 5"),
        (tinysearch.frontier, {"warm_start": ["a", 5]}, r"`warm_start=` .* got \['a', 5\]"),
        (tinysearch.evaluate, {"run": 3}, "`run=` is a text"),
        (tinysearch.evaluate, {"run": "one", "workers": "two"}, "`workers=` .* got 'two'"),
        (tinysearch.evaluate, {"run": "one", "seeds": 0}, "`seeds=` is a whole number of at least 1, got 0"),
        (tinysearch.evaluate, {"run": "one", "seeds": -1}, "`seeds=` .* got -1"),
        (tinysearch.evaluate, {"run": "one", "seeds": "3"}, "`seeds=` .* got '3'"),
        (tinysearch.evaluate, {"run": "one", "top": 0}, "`top=` is a whole number of at least 1, got 0"),
        (tinysearch.reproduce, {"seeds": 0}, "`seeds=` .* got 0"),
        (tinysearch.reproduce, {"workers": 0}, "`workers=` .* got 0"),
        (tinysearch.frontier, {"name": None}, "`name=` is a text, the name of a run, got None"),
        (tinysearch.frontier, {"executor": "ray"}, "`executor=` is an Executor, .* got 'ray'"),
        (tinysearch.evaluate, {"run": None}, "`run=` is a text, the name of a run, got None"),
        (tinysearch.evaluate, {"run": "one", "executor": "ray"}, "`executor=` is an Executor, .* got 'ray'"),
        (tinysearch.reproduce, {"models": 3}, "`models=` is the name of a baseline, a key, or several of them, got 3"),
        (tinysearch.reproduce, {"models": [3]}, "`models=` is made of names of baselines and keys, got 3"),
        (tinysearch.reproduce, {"executor": "ray"}, "`executor=` is an Executor, .* got 'ray'"),
    ],
)
def test_other_calls_refuse_what_is_of_another_kind_before_they_make_a_store(
    call: Callable[..., Any], arguments: dict[str, Any], words: str, tmp_path: Path
) -> None:
    with pytest.raises(tinysearch.InputError, match=words):
        call(**arguments, store=tmp_path / "store.db")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        (tinysearch.run, {}),
        (tinysearch.frontier, {}),
        (tinysearch.evaluate, {"run": "one"}),
        (tinysearch.reproduce, {}),
    ],
)
def test_a_number_of_workers_is_refused_where_an_executor_has_a_number_of_its_own(
    call: Callable[..., Any], arguments: dict[str, Any], tmp_path: Path
) -> None:
    executor = FakeWorker().executor()
    with pytest.raises(tinysearch.InputError, match=r"`workers=2` is for local worker processes, and `executor="):
        call(**arguments, store=tmp_path / "store.db", workers=2, executor=executor)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: tinysearch.cost("c4 M", TASK), r"`architecture=` is a tinysearch\.Architecture, got 'c4 M'"),  # type: ignore[arg-type]
        (lambda: tinysearch.cost(TASK, NETWORK), r"`architecture=` .*, got Task\(input_shape"),  # type: ignore[arg-type]
        (lambda: tinysearch.cost(NETWORK, (28, 28, 1)), r"`task=` is a tinysearch\.Task, .*, got \(28, 28, 1\)"),  # type: ignore[arg-type]
        (lambda: tinysearch.build("c4 M", TASK), "`architecture=` .*, got 'c4 M'"),  # type: ignore[arg-type]
        (lambda: tinysearch.SearchSpace(NETWORK), r"`task=` .*, got Architecture\(.*\.\.\.$"),  # type: ignore[arg-type]
        (lambda: tinysearch.SearchSpace(tree=3), r"`tree=` is a tree of choices, .*, got 3"),  # type: ignore[arg-type]
        (lambda: tinysearch.executors.Local("2"), "at least 1 worker is needed, got '2'"),  # type: ignore[arg-type]
        (lambda: tinysearch.executors.Local(0), "at least 1 worker is needed, got 0"),
    ],
)
def test_what_is_of_another_type_or_in_another_order_is_an_error_that_says_what_is_taken(
    call: Callable[[], object], words: str
) -> None:
    with pytest.raises(tinysearch.InputError, match=words):
        call()


def test_a_study_refuses_an_executor_that_is_none(tiny: Path, tmp_path: Path) -> None:
    with (
        tinysearch.Study(data=tiny, store=tmp_path / "store.db") as study,
        pytest.raises(tinysearch.InputError, match=r"`executor=` is an Executor, .* got 'ray'"),
    ):
        study.run(executor="ray")  # type: ignore[arg-type]


def test_a_study_refuses_limits_that_are_of_another_kind(tiny: Path, tmp_path: Path) -> None:
    with tinysearch.Study(data=tiny, store=tmp_path / "store.db") as study:
        memory: list[dict[str, object]] = [{"worker_memory": given} for given in ("1G", 0, -5)]
        for arguments in ({"workers": 1.5}, {"time_limit": "1h"}, {"stall_limit": "30m"}, *memory):
            (name,) = arguments
            with pytest.raises(tinysearch.InputError, match=f"`{name}=` is a "):
                study.run(**arguments)  # type: ignore[arg-type]
        assert study.records == []


@pytest.mark.parametrize("call", [tinysearch.Study, tinysearch.frontier])
def test_settings_that_there_are_not_are_refused_with_those_that_there_are(call: Any, tiny: Path) -> None:
    with pytest.raises(tinysearch.TinySearchError, match=r"callbacks.*store.*trials.*'verbos'; did you mean 'verbose'"):
        call(data=tiny, verbos=0)


def test_a_name_that_is_not_in_the_store_is_refused_with_the_one_that_may_be_meant(made: Made) -> None:
    with pytest.raises(tinysearch.TinySearchError, match=r"'ome'.* did you mean 'one'"):
        tinysearch.open("ome", store=made.folder / "store.db")
    with pytest.raises(RunError, match="no run named 'xxx"):
        tinysearch.open(300 * "x", store=made.folder / "store.db")


def test_a_search_that_is_over_and_called_again_says_that_nothing_is_trained(
    copied: Made, tiny: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(number: int, job: object) -> None:
        raise AssertionError("nothing is left to train")

    given = {
        "data": tiny,
        "store": copied.folder / "store.db",
        "name": "one",
        "executor": FakeWorker(refuse).executor(),
    }
    tinysearch.run(**given).close()
    said = capsys.readouterr().err
    assert "nothing is left to train: all results are in the store; increase `trials=` to continue" in " ".join(
        said.split()
    )
    assert "was evaluated before; nothing is trained" in said
    assert said.count("  stored  ") == 2
    assert "training 1" not in said


def test_a_taken_name_is_refused_if_the_run_is_to_be_new(copied: Made, tiny: Path) -> None:
    with pytest.raises(tinysearch.TinySearchError, match="'one'"):
        tinysearch.run(data=tiny, store=copied.folder / "store.db", name="one", resume=False)


def test_a_search_without_any_candidate_has_no_best(tiny: Path, tmp_path: Path) -> None:
    given = {"data": tiny, "store": tmp_path / "store.db", "name": "nothing"}
    with tinysearch.run(trials=0, baselines=False, executor=FakeWorker().executor(), **given) as empty:
        assert empty.results == ()
        with pytest.raises(tinysearch.TinySearchError, match="'nothing'"):
            _ = empty.best


# How it ends


def test_ctrl_c_is_ctrl_c_and_the_same_call_goes_on(
    tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(number: int, job: Job) -> None:
        if number == 2:
            raise KeyboardInterrupt

    given = {"data": tiny, "store": tmp_path / "store.db", "name": "mine", "baselines": False, "trials": 4}
    given.update(folds=1, evaluate=0, strategy="random")
    with pytest.raises(KeyboardInterrupt):
        tinysearch.run(**given, executor=FakeWorker(interrupt).executor())
    assert "run 'mine' in" in (last := capsys.readouterr().err.splitlines()[-1])
    assert last.endswith("keeps 2 finished trainings; call it again with name='mine' to continue")
    with Store(tmp_path / "store.db") as store:
        before = store.records("mine")
    assert len(before) == 2
    with tinysearch.run(**given, executor=FakeWorker().executor()) as study:
        assert study.records[:2] == before
        assert len(study.records) == 4


class Ends(tinysearch.Callback):
    """Keeps what it hears of the end of each call."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def on_note(self, text: str) -> None:
        self.heard.append("a note")

    def on_end(self, ending: str) -> None:
        self.heard.append(ending)


def test_callbacks_hear_how_an_evaluation_ends_and_where_one_failed_another_seed_is_taken(
    tiny: Path, tmp_path: Path
) -> None:
    ends = Ends()
    where: dict[str, Any] = {"data": tiny, "store": tmp_path / "store.db", "verbose": 0}
    given = {"name": "mine", "trials": 1, "folds": 1, "evaluate": 0, "baselines": False, "strategy": "random"}
    tinysearch.run(executor=FakeWorker().executor(), **where, **given).close()
    failing = FakeWorker(lambda number, job: Measurement(failure="no memory") if job.seed == 1 else None)
    with pytest.raises(RunError, match="'ghost'"):
        tinysearch.evaluate("ghost", executor=failing.executor(), callbacks=[ends], **where)
    # This worker keeps no model, of which an evaluation needs one.
    with pytest.raises(WorkError, match="could not be saved"):
        tinysearch.evaluate("mine", executor=failing.executor(), callbacks=[ends], **where)
    assert ends.heard == ["failed", "failed"]
    tinysearch.evaluate("mine", seeds=1, executor=UntrainedWorker().executor(), callbacks=[ends], **where)
    with pytest.warns(UserWarning, match="with seed 1: no memory; the next evaluation takes another seed in its place"):
        tinysearch.evaluate("mine", seeds=2, executor=failing.executor(), callbacks=[ends], **where)
    assert ends.heard[2:] == ["finished", "a note", "finished"]
    worker = UntrainedWorker()
    for _ in range(2):
        again = tinysearch.evaluate("mine", seeds=2, executor=worker.executor(), **where)
        assert [(one.seed, one.failed) for one in again] == [(0, False), (2, False)]
    assert [one.seed for one in worker.jobs] == [2]


def test_a_baseline_that_failed_is_trained_with_another_seed_by_the_same_call(tiny: Path, tmp_path: Path) -> None:
    where: dict[str, Any] = {"data": tiny, "store": tmp_path / "store.db", "verbose": 0}
    failing = FakeWorker(lambda number, job: Measurement(failure="no memory")).executor()
    with pytest.raises(TrainingError, match="with seed 0: no memory; the next reproduction takes another seed"):
        tinysearch.reproduce("conv", executor=failing, **where)
    worker = UntrainedWorker()
    found = tinysearch.reproduce("conv", seeds=2, executor=worker.executor(), **where)
    assert len(found.baselines[0].test_accuracies) == 2
    assert sorted(one.seed for one in worker.jobs) == [1, 2]


@pytest.mark.parametrize("verbose", [0, 1])
def test_ctrl_c_says_what_is_kept_of_a_frontier_an_evaluation_and_a_reproduction(
    verbose: int, tiny: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(number: int, job: Job) -> None:
        if number == 1:
            raise KeyboardInterrupt

    def said(run: str, remedy: str) -> bool:
        last = capsys.readouterr().err.splitlines()[-1:]
        return bool(last) and last[0].startswith(f"interrupted: {run}") and last[0].endswith(remedy)

    where = {"data": tiny, "store": tmp_path / "store.db", "verbose": verbose}
    given = {"trials": 3, "folds": 1, "evaluate": 0, "baselines": False, "reuse": "none"}
    for strategy in ("pareto", "evolution"):
        executor = FakeWorker(interrupt).executor()
        found = tinysearch.frontier([500, 1_000], name=strategy, strategy=strategy, executor=executor, **where, **given)
        assert found.ending == "interrupted"
        remedy = f"keeps 1 finished training; call it again with name={strategy!r} to continue"
        assert said("run ", remedy) == bool(verbose)

    def at_once() -> Any:
        return FakeWorker(lambda number, job: interrupt(1, job)).executor()

    ends = Ends()
    with pytest.raises(KeyboardInterrupt):
        tinysearch.evaluate("pareto", seeds=2, executor=at_once(), callbacks=[ends], **where)
    assert said("run 'pareto' in", "keeps 1 finished training; repeat the call to continue") == bool(verbose)
    with pytest.raises(KeyboardInterrupt):
        tinysearch.reproduce(["separable"], seeds=2, executor=at_once(), callbacks=[ends], **where)
    assert ends.heard == ["interrupted", "interrupted"]
    assert said("run 'reproduce-tiny' in", "keeps 0 finished trainings; repeat the call to continue") == bool(verbose)


@pytest.mark.parametrize(("trials", "words"), [(1, "the only candidate"), (2, "all 2 candidates failed; the last one")])
def test_a_search_in_which_every_training_failed_is_an_error_with_the_reason(
    trials: int, words: str, tiny: Path, tmp_path: Path
) -> None:
    given = {"data": tiny, "store": tmp_path / "store.db", "name": "mine", "baselines": False, "trials": trials}
    executor = FakeWorker(lambda number, job: Measurement(failure=f"no memory, {number}")).executor()
    with pytest.raises(TrainingError, match=f"^{words}.*: no memory, {trials - 1}$"):
        tinysearch.run(**given, executor=executor, strategy="random")
    with tinysearch.open("mine", store=tmp_path / "store.db", data=tiny) as study:
        assert len(study.records) == trials
        with pytest.raises(RunError, match=f"'mine' has trained no candidate: {words}.*: no memory, {trials - 1}$"):
            _ = study.best


@pytest.mark.parametrize("strategy", [None, "random"])
def test_a_frontier_in_which_every_training_failed_is_an_error_with_the_reason(
    strategy: str | None, tiny: Path, tmp_path: Path
) -> None:
    executor = FakeWorker(lambda number, job: Measurement(failure=f"no memory, {number}")).executor()
    where = {"data": tiny, "store": tmp_path / "store.db", "verbose": 0}
    with pytest.raises(TrainingError, match="all 2 candidates failed; the last one: no memory"):
        tinysearch.frontier([500, 1_000], trials=2, strategy=strategy, executor=executor, **where)


@pytest.mark.parametrize("strategy", [None, "random"])
def test_a_frontier_that_is_interrupted_is_returned_even_if_all_failed_until_then(
    strategy: str | None, tiny: Path, tmp_path: Path
) -> None:
    def second_interrupts(number: int, job: Job) -> Measurement:
        if number:
            raise KeyboardInterrupt
        return Measurement(failure="no memory")

    where = {
        "data": tiny,
        "store": tmp_path / "store.db",
        "verbose": 0,
        "executor": FakeWorker(second_interrupts).executor(),
    }
    assert tinysearch.frontier([500, 1_000], trials=2, strategy=strategy, **where).ending == "interrupted"


def test_a_frontier_in_which_some_training_did_not_fail_is_returned(tiny: Path, tmp_path: Path) -> None:
    executor = FakeWorker(lambda number, job: Measurement(failure="no memory") if number else None).executor()
    where = {"data": tiny, "store": tmp_path / "store.db", "verbose": 0, "evaluate": 0, "folds": 1}
    found = tinysearch.frontier([500, 1_000], trials=1, strategy="random", executor=executor, **where)
    assert [[one.failed for one in records] for records in found.records.values()] == [[False], [True]]


def test_what_goes_wrong_after_the_search_is_raised_and_the_search_is_stored(
    tiny: Path, tmp_path: Path, fake_worker: type[FakeWorker]
) -> None:
    # It keeps no models, of which an evaluation needs one.
    given = {"data": tiny, "name": "mine", "baselines": False, "trials": 1, "folds": 1, "evaluate": 1}
    with Store(tmp_path / "store.db", create=True) as store:
        with pytest.raises(TrainingError, match="could not be saved"):
            tinysearch.run(**given, store=store, executor=fake_worker().executor())
        (record,) = store.records("mine")
    assert record.purpose == "search"


def test_a_candidate_is_reproduced_from_a_store_at_home_and_from_one_in_memory(
    tiny: Path,
    tmp_path: Path,
    fake_worker: type[FakeWorker],
    untrained_worker: type[UntrainedWorker],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    given: dict[str, Any] = {"data": tiny, "store": "~/store.db", "baselines": False, "trials": 1, "strategy": "random"}
    with tinysearch.run(executor=fake_worker().executor(), folds=1, evaluate=0, verbose=0, **given) as study:
        found = study.best.record
        archive.write(study.store, [found.run], tmp_path / "results.jsonl")
    again: dict[str, Any] = {"data": tiny, "executor": untrained_worker().executor(), "verbose": 0}
    with archive.read(tmp_path / "results.jsonl") as in_memory:
        for store in ("~/store.db", in_memory):
            done = tinysearch.reproduce(found.key, store=store, **again)
            assert [(one.name, one.found_in.name) for one in done.known] == [(found.name, found.run)]
            assert [(one.key, one.purpose) for one in done.records] == [(found.key, "evaluation")]


# A frontier


@pytest.fixture
def sweep(tiny: Path, tmp_path: Path) -> Callable[..., tuple[tinysearch.Frontier, FakeWorker]]:
    """Return a function that sweeps over budgets, and returns what came of it and who has trained."""

    def swept(*budgets: int, **given: Any) -> tuple[tinysearch.Frontier, FakeWorker]:
        worker = FakeWorker(**ALIKE)
        settings = {"data": tiny, "store": tmp_path / "store.db", "folds": 1, "evaluate": 0, "strategy": "evolution"}
        settings = {name: value for name, value in {**settings, **given}.items() if value is not None}
        return tinysearch.frontier(budgets, executor=worker.executor(), **settings), worker

    return swept


def test_a_frontier_is_one_run_of_which_each_budget_has_what_is_below_it(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    found, _ = sweep(2_000, 1_000, trials=6, strategy="pareto")
    assert (list(found.records), found.ending, found.problem) == ([2_000, 1_000], "finished", None)
    with Store(tmp_path / "store.db") as store:
        assert [run.name for run in store.runs()] == ["frontier"]
        stored, records = store.run("frontier").settings, store.records("frontier")
    assert stored["budgets"] == [1_000, 2_000]
    assert (stored["budget"]["params"], stored["strategy"], stored["trials"]) == (2_000, "pareto", 6)
    assert found.records[2_000] == records
    assert found.records[1_000] == [one for one in records if one.cost.params < 1_000]
    assert 0 < len(found.records[1_000]) < 6


def test_a_frontier_of_which_nothing_else_is_said_is_one_run_with_ten_trials_for_each_budget(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    found, worker = sweep(300, strategy=None)
    assert len(found.records[300]) == len(worker.jobs) == 10
    with Store(tmp_path / "store.db") as store:
        assert store.run("frontier").settings["strategy"] == "pareto"
    again, worker = sweep(300, strategy=None)
    assert (again, worker.jobs) == (found, [])


def test_below_each_budget_of_a_frontier_leaders_are_revalidated_and_the_winner_is_evaluated(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tiny: Path, tmp_path: Path
) -> None:
    # This worker keeps no models, which evaluations need: so the plan is asked what is to be evaluated.
    found, _ = sweep(500, 2_000, trials=12, strategy="pareto", folds=3)
    again = [one for one in found.records[2_000] if one.purpose == "revalidation"]
    assert 0 < len(again) <= 6
    assert len({(one.key, one.seed) for one in again}) == len(again)
    winners = best_below(found.records[2_000], (500, 2_000))
    assert list(winners) == [500, 2_000]
    with Store(tmp_path / "store.db") as store:
        plan = winners_of(store, "frontier", load("auto", tiny), [0])
    assert {one.key for one in plan} == {one.first.key for one in winners.values()}


def test_runs_of_their_own_go_on_as_these_where_a_frontier_was_begun_so(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    before, _ = sweep(300, 500, trials=2)
    more, worker = sweep(300, 500, trials=3, strategy=None)
    assert len(worker.jobs) == 2
    for budget, records in more.records.items():
        assert list(records[:2]) == before.records[budget]
    with Store(tmp_path / "store.db") as store:
        assert [run.name for run in store.runs()] == ["frontier-300", "frontier-500"]


def test_other_budgets_than_a_frontier_was_begun_with_are_refused(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]],
) -> None:
    sweep(300, 500, trials=1, strategy="pareto")
    with pytest.raises(RunError, match="started with budgets"):
        sweep(400, 500, trials=1, strategy="pareto")


def test_the_cost_of_a_frontier_is_parameters(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]],
) -> None:
    with pytest.raises(RunError, match=r"use tinysearch\.run with this strategy"):
        sweep(300, strategy="pareto:macs")


def test_each_budget_of_a_frontier_is_a_run_that_begins_with_the_best_of_the_one_before(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    found, _ = sweep(1_000, 2_000, trials=3)
    assert (list(found.records), found.ending, found.problem) == ([1_000, 2_000], "finished", None)
    with Store(tmp_path / "store.db") as store:
        assert [run.name for run in store.runs()] == ["frontier-1000", "frontier-2000"]
        first, second = (store.run(f"frontier-{budget}").settings for budget in found.records)
    assert (first["initial_candidates"], first["warm_start_trials"]) == ([], [])
    assert second["warm_start_trials"] == [["frontier-1000", 3]]
    assert found.records[2_000][0].architecture.to_dict() == second["initial_candidates"][0]["architecture"]
    for budget, records in found.records.items():
        assert len(records) == 3
        assert all(record.cost.params < budget for record in records)


@pytest.mark.parametrize("strategy", ["random", "pareto"])
@pytest.mark.parametrize("form", [list, iter])
def test_a_frontier_begins_with_given_candidates_and_goes_on_with_them(
    form: Callable[[list[tinysearch.Architecture]], Any],
    strategy: str,
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]],
) -> None:
    first, second = NETWORK, tinysearch.Architecture((Conv(5),), Head("average"))
    given: dict[str, Any] = {"strategy": strategy, "baselines": False, "designs": 0}
    found, _ = sweep(700, 900, trials=3, initial_candidates=form([first, second]), **given)
    for records in found.records.values():
        assert [one.architecture for one in records[:2]] == [first, second]
    again, worker = sweep(700, 900, trials=3, initial_candidates=form([first, second]), **given)
    assert (again, worker.jobs) == (found, [])
    more, worker = sweep(700, 900, trials=4, strategy=strategy)
    assert len(worker.jobs) > 0
    assert list(more.records[700][:3]) == list(found.records[700][:3])
    with pytest.raises(RunError, match="started with initial_candidates"):
        sweep(700, 900, trials=3, initial_candidates=form([second]), **given)


def test_the_best_of_the_budget_before_follow_the_given_candidates(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    sweep(700, 900, trials=2, initial_candidates=[NETWORK], baselines=False)
    with Store(tmp_path / "store.db") as store:
        first, second = (store.run(f"frontier-{budget}").settings["initial_candidates"] for budget in (700, 900))
    assert second[: len(first)] == first
    assert len(second) > len(first) == 1


class Few(Constraint):
    """Accepts networks of few layers."""

    def check(self, architecture: tinysearch.Architecture, cost: tinysearch.Cost) -> Verdict:
        """Accept up to three layers."""
        return Verdict(len(architecture.layers) <= 3, "many layers")


def test_every_budget_of_a_frontier_heeds_constraints_that_are_given_by_an_iterator(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    sweep(700, 900, trials=1, constraints=iter([Few]))
    with Store(tmp_path / "store.db") as store:
        first, second = (store.run(f"frontier-{budget}").settings["constraints"] for budget in (700, 900))
    assert first == second != []


@pytest.mark.parametrize("strategy", ["random", "pareto"])
def test_candidates_of_a_frontier_that_are_no_list_are_refused(
    strategy: str, sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]]
) -> None:
    with pytest.raises(tinysearch.InputError, match="`initial_candidates=` is a list of architectures or candidates"):
        sweep(700, 900, strategy=strategy, initial_candidates=3)


def test_a_frontier_learns_from_what_is_there_from_what_is_named_or_when_cold_from_itself(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], tmp_path: Path
) -> None:
    sweep(900, trials=2, name="before")
    given: dict[str, Any] = {"trials": 1, "reuse": "none"}
    sweep(1_000, 2_000, name="cold", cold=True, **given)
    sweep(1_000, 2_000, name="named", warm_start=["before-900"], **given)
    sweep(1_000, name="warm", **given)
    with Store(tmp_path / "store.db") as store:
        learnt = {run.name: [name for name, *_ in run.settings["warm_start_trials"]] for run in store.runs()}
    assert learnt == {
        "before-900": [],
        "cold-1000": [],
        "cold-2000": ["cold-1000"],
        "named-1000": ["before-900"],
        "named-2000": ["before-900", "named-1000"],
        "warm-1000": ["before-900", "cold-1000", "cold-2000", "named-1000", "named-2000"],
    }
    with pytest.raises(RunError, match="leave out `cold=`"):
        sweep(1_000, name="both", cold=True, warm_start=["before-900"])


@pytest.mark.parametrize("strategy", ["evolution", "pareto"])
def test_a_frontier_goes_on_with_what_it_learns_from_and_with_nothing_else(
    strategy: str, sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]]
) -> None:
    sweep(500, trials=1, name="before", strategy="pareto")
    sweep(1_000, 2_000, trials=1, warm_start=["before"], strategy=strategy)
    sweep(1_000, 2_000, trials=1, cold=True, name="cold", strategy=strategy)
    for given in ({"warm_start": "before"}, {"name": "cold", "cold": True}, {}, {"name": "cold"}):
        _, worker = sweep(1_000, 2_000, trials=1, strategy=strategy, **given)
        assert worker.jobs == []
    with pytest.raises(RunError, match="started with warm_start before, now it is none"):
        sweep(1_000, 2_000, trials=1, strategy=strategy, cold=True)
    with pytest.raises(RunError, match="started with warm_start none, now it is before"):
        sweep(1_000, 2_000, trials=1, name="cold", strategy=strategy, warm_start=["before"])
    with pytest.raises(RunError, match="'nonsense'"):
        sweep(1_000, 2_000, trials=1, strategy=strategy, warm_start=["nonsense"])


def test_a_budget_that_is_added_in_front_changes_nothing_for_the_runs_there_are(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]],
) -> None:
    before, _ = sweep(1_000, 2_000, trials=1, cold=True, baselines=False)
    more, worker = sweep(500, 1_000, 2_000, trials=1, cold=True, baselines=False)
    assert len(worker.jobs) == 1
    assert {budget: more.records[budget] for budget in before.records} == before.records


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, ["before", "other"]), ((), []), ("before", ["before"]), (["before"], ["before"])],
)
def test_what_a_frontier_learns_from_is_given_as_for_a_study(
    given: object, expected: list[str], fake_worker: type[FakeWorker], tiny: Path, tmp_path: Path
) -> None:
    common: dict[str, Any] = {"data": tiny, "store": tmp_path / "store.db", "trials": 1, "folds": 1, "evaluate": 0}
    common |= {"baselines": False, "strategy": "evolution", "reuse": "none", "verbose": 0}
    tinysearch.run(300, name="before", executor=fake_worker().executor(), **common).close()
    tinysearch.run(300, name="other", executor=fake_worker().executor(), **common).close()
    single: dict[str, Any] = {**common, "name": "study", "warm_start": given}
    tinysearch.run(300, executor=fake_worker().executor(), **single).close()
    tinysearch.frontier([300], executor=fake_worker().executor(), warm_start=given, **common)  # type: ignore[arg-type]
    with Store(tmp_path / "store.db") as store:
        learnt = {run.name: [name for name, *_ in run.settings["warm_start_trials"]] for run in store.runs()}
    assert learnt["study"] == expected
    # The study is on the same data too, unless the frontier was told what to learn from.
    assert learnt["frontier-300"] == (expected if given is not None else [*expected, "study"])


def test_the_same_frontier_again_trains_nothing_and_more_trials_go_on(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]],
) -> None:
    before, _ = sweep(1_000, 2_000, trials=2)
    again, worker = sweep(1_000, 2_000, trials=2)
    assert again == before
    assert worker.jobs == []
    more, worker = sweep(1_000, 2_000, trials=3)
    assert len(worker.jobs) == 2
    for budget, records in more.records.items():
        assert list(records[:2]) == before.records[budget]


@pytest.mark.parametrize("budgets", [(), (1_000, 1_000), (0, 5), (3_000, 15)])
def test_budgets_of_a_frontier_that_make_no_sense_are_refused(
    sweep: Callable[..., tuple[tinysearch.Frontier, FakeWorker]], budgets: tuple[int, ...]
) -> None:
    with pytest.raises(BudgetError):
        sweep(*budgets)
