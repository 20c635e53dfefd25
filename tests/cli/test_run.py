"""Whole runs on sixty images.

Starting TensorFlow takes seconds, so that a few runs are made and looked at from all sides.
"""

from __future__ import annotations

import itertools
import json
import re
import shlex
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from stand_ins import Here, Untrained

from tinysearch.data.dataset import TrainingData
from tinysearch.data.loading import load
from tinysearch.results.ranking import ranked
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.training.job import EpochWatcher, Job
from tinysearch.training.job import Outcome as JobOutcome

Done = subprocess.CompletedProcess[str]
Launch = Callable[..., Done]
Prepare = Callable[..., dict[str, Any]]
Once = Callable[[Callable[[Path], Any]], Any]

BASELINES = ["baseline:separable", "baseline:inception"]
# What is trained does not matter here, how long it takes does.
SHALLOW = ("--space", Path(__file__).parents[1] / "shallow.json")
SETTINGS = ("--epochs", 1, "--folds", 1, "--evaluate", 0)
# Without the largest of the baselines, whose training takes longest, and with one worker: each takes seconds to start.
SMALL = ("--trials", 1, "--budget", 5_000, "--workers", 1, *SETTINGS)


class Outcome(NamedTuple):
    """What came of a run: how the command ended, what it stored, and where."""

    done: Done
    records: list[Record]
    folder: Path


def outcome(done: Done, folder: Path) -> Outcome:
    with Store(folder / "store.db") as store:
        return Outcome(done, store.records(), folder)


def numbers(record: Record) -> tuple[object, ...]:
    """Return what a record says of a candidate and its training, without clock times and the name of the run."""
    curve = [(point.loss, point.accuracy, point.val_loss, point.val_accuracy) for point in record.measurement.curve]
    return record.key, record.name, record.trial, record.seed, record.cost, curve


@pytest.fixture(scope="module")
def finished(launch: Launch, tiny: Path, once: Once) -> Outcome:
    """Return a run of one trial with its baselines, from beginning to end, in a process of its own."""

    def finished_run(folder: Path) -> Outcome:
        done = launch(folder, "run", "--data", tiny, *SMALL)
        assert done.returncode == 0, done.stderr
        return outcome(done, folder)

    return once(finished_run)


@pytest.fixture(scope="module")
def interrupted(prepare: Prepare, tiny: Path, once: Once) -> Outcome:
    """Return the same run with Ctrl-C after its first training."""

    def interrupted_run(folder: Path) -> Outcome:
        words = prepare(folder, "run", "--data", tiny, *SMALL, "--name", "mine")
        with (folder / "stdout").open("w") as stdout:
            process = subprocess.Popen(**words, stdout=stdout, stderr=subprocess.PIPE)
        assert process.stderr is not None
        with process, process.stderr as stderr:
            before = list(itertools.takewhile(lambda line: not re.match(r"\s*1/", line), stderr))
            process.send_signal(signal.SIGINT)
            text = "".join([*before, *stderr])
        said = (folder / "stdout").read_text(encoding="utf-8")
        return outcome(Done(words["args"], process.returncode, said, text), folder)

    return once(interrupted_run)


# What is printed


def test_the_leaderboard_goes_to_stdout_alone(finished: Outcome) -> None:
    assert "Leaderboard: tiny" in finished.done.stdout
    assert "Leaderboard" not in finished.done.stderr
    for record in finished.records:
        assert record.name in finished.done.stdout
        assert f"{record.cost.params:,}" in finished.done.stdout


def test_progress_goes_to_stderr_alone(finished: Outcome) -> None:
    begun = [line for line in finished.done.stderr.splitlines() if line.startswith("training ")]
    ended = [line for line in finished.done.stderr.splitlines() if re.match(r"\s*\d+/3\s", line)]
    assert [line.split()[1] for line in begun if "of 3" in line] == ["1", "2", "3"]
    assert len(ended) == 3
    assert "training " not in finished.done.stdout
    assert "1/3" not in finished.done.stdout


def test_without_a_terminal_nothing_is_coloured_or_moved(finished: Outcome) -> None:
    for text in (finished.done.stdout, finished.done.stderr):
        assert "\x1b" not in text
        assert "\r" not in text


def test_tensorflow_keeps_silent(finished: Outcome) -> None:
    noise = r"\.cc:|WARNING|Warning|^[IWE]\d{4} |^\d{4}-\d\d-\d\d |cuda|oneDNN|Reloading|Trial \d+ Complete|INFO:"
    assert not re.findall(noise, finished.done.stdout + finished.done.stderr, flags=re.MULTILINE)


def test_the_plan_is_said_before_anything_is_trained(finished: Outcome) -> None:
    plan = finished.done.stderr.split("training 1 of")[0]
    for words in ("54 images to train", "6 to validate", "fewer than 5,000", "1 trial by", "seed 0", "28x28x1"):
        assert words in plan


def test_the_winner_is_shown_with_its_layers(finished: Outcome) -> None:
    best = ranked(finished.records)[0].first
    _, _, winner = finished.done.stdout.partition("the winner")
    assert best.name in winner
    # Those within a block are named by the number of the block.
    shown = [re.sub(r"^[a-z]+(\d+)_(?:branch(\d+)_)?(?=[a-z]+\d)", "", layer.name) for layer in best.cost.layers]
    assert [name for name in shown if name not in winner] == []


# What is stored


def test_baselines_come_first_and_are_marked_and_not_counted_as_trials(finished: Outcome) -> None:
    assert [record.name for record in finished.records[:2]] == BASELINES
    assert [record.origin for record in finished.records] == ["baseline"] * 2 + ["search"]
    assert [record.trial for record in finished.records] == [None] * 2 + [0]


def test_nothing_at_or_above_the_budget_was_trained(finished: Outcome) -> None:
    assert all(record.cost.params < 5_000 for record in finished.records)


def test_every_candidate_has_all_its_epochs_and_what_is_needed_to_repeat_it(finished: Outcome) -> None:
    for record in finished.records:
        assert not record.failed
        assert len(record.measurement.curve) == record.recipe["epochs"] == 1
        assert (record.seed, record.dataset, record.purpose) == (0, "tiny", "search")
        assert record.test_accuracy is None
        assert record.provenance["keras"]
        assert record.created_at


def test_the_best_few_models_are_kept_and_take_raw_pixels(finished: Outcome, tiny: Path) -> None:
    import keras

    paths = {path.stem: path for path in finished.folder.rglob("*.keras")}
    assert paths.keys() == {record.key for record in finished.records}
    held_out = load(data=tiny).training_data().validation
    assert held_out is not None
    for record in finished.records:
        model = keras.saving.load_model(paths[record.key])
        assert model.count_params() == record.cost.params
        guesses = model(held_out.pixels, training=False).numpy().argmax(axis=1)
        assert (guesses == held_out.labels).mean() == pytest.approx(record.score)


def test_the_leaderboard_of_the_store_is_the_one_that_was_printed(light: Launch, finished: Outcome) -> None:
    again = light("leaderboard", "--store", finished.folder / "store.db")
    assert again.stdout.strip() in finished.done.stdout


def test_a_candidate_of_the_run_can_be_shown(light: Launch, finished: Outcome) -> None:
    key = finished.records[-1].key
    shown = json.loads(light("show", key[:8], "--format", "json", "--store", finished.folder / "store.db").stdout)
    assert [record["key"] for record in shown["records"]] == [key]


# The same again


@pytest.mark.slow
def test_the_same_seed_gives_the_same_candidates_and_exactly_the_same_numbers(
    call: Launch, finished: Outcome, tiny: Path, tmp_path: Path
) -> None:
    done = call(tmp_path, "run", "--data", tiny, *SMALL, "--seed", 0, "--no-baselines")
    again = outcome(done, tmp_path)
    assert [record.origin for record in again.records] == ["search"]
    assert [numbers(record) for record in again.records] == [numbers(record) for record in finished.records[2:]]


@pytest.mark.slow
@pytest.mark.usefixtures("untrained")
def test_a_run_that_is_resumed_with_more_trials_equals_one_that_had_them_at_once(
    call: Launch, tiny: Path, tmp_path: Path
) -> None:
    once, parts = (tmp_path / name for name in ("once", "parts"))
    once.mkdir()
    parts.mkdir()
    whole = outcome(call(once, "run", "--data", tiny, "--trials", 4, *SETTINGS), once)
    call(parts, "run", "--data", tiny, "--trials", 2, *SETTINGS, "--name", "short")
    more = call(parts, "run", "--data", tiny, "--trials", 4, "--name", "short", "--resume")
    assert more.returncode == 0, more.stderr
    assert "5 of 7" in more.stderr.split("training  ")[0]
    resumed = outcome(more, parts)
    assert [numbers(record) for record in resumed.records] == [numbers(record) for record in whole.records]
    with Store(parts / "store.db") as store:
        assert store.run("short").settings["trials"] == 4
        assert store.run("short").finished_at is not None


def test_a_finished_run_that_is_resumed_trains_nothing(
    call: Launch, finished: Outcome, tiny: Path, tmp_path: Path
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "copy")
    again = call(folder, "run", "--data", tiny, "--resume")
    assert again.returncode == 0, again.stderr
    assert "training 1" not in again.stderr
    assert outcome(again, folder).records == finished.records


@pytest.mark.parametrize(
    ("option", "value", "name"), [("--seed", "1", "seed"), ("--budget", "4,000", "budget"), ("--epochs", "2", "epochs")]
)
def test_a_run_is_not_resumed_with_other_settings(
    light: Launch, finished: Outcome, tiny: Path, option: str, value: str, name: str
) -> None:
    done = light("run", "--data", tiny, "--resume", option, value, "--store", finished.folder / "store.db")
    assert done.returncode == 2
    assert name in done.stderr
    assert value in done.stderr
    assert "training" not in done.stderr.split("error")[0]


def test_where_there_is_no_store_nothing_is_resumed_and_none_is_made(light: Launch, tmp_path: Path) -> None:
    done = light("run", "--dataset", "digits", "--resume", "--store", tmp_path / "runs" / "store.db")
    assert done.returncode == 2
    assert "there is no store at" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_not_resumed_with_other_data(light: Launch, finished: Outcome) -> None:
    done = light("run", "--dataset", "digits", "--resume", "--store", finished.folder / "store.db")
    assert done.returncode == 2
    assert "tiny" in done.stderr
    assert "digits" in done.stderr


# Ctrl-C


def test_ctrl_c_ends_a_run_with_130_its_leaderboard_and_the_command_that_resumes_it(
    call: Launch, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a process does with a signal, see the slow tests below; nothing is trained here."""
    untrained, begun = Untrained(), itertools.count()

    def train_on(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> JobOutcome:
        if next(begun) == 2:
            raise KeyboardInterrupt
        return untrained.train_on(job, data, on_epoch)

    here = type("Interrupted", (Here,), {"train_on": staticmethod(train_on)})
    monkeypatch.setattr("tinysearch.workers.local.executor.LocalExecutor", here)
    done = call(tmp_path, "run", "--data", tiny, *SMALL, "--name", "mine")
    assert done.returncode == 130, done.stderr
    assert [record.name for record in outcome(done, tmp_path).records] == BASELINES
    assert "Leaderboard: tiny" in done.stdout
    assert "best so far: " in done.stdout
    assert "the winner" not in done.stdout
    for words in ("interrupted", "still to be done: 1 of 1 trial\n", "--resume"):
        assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_an_interrupted_run_ends_with_130_and_keeps_what_was_trained(interrupted: Outcome, finished: Outcome) -> None:
    assert interrupted.done.returncode == 130
    assert 1 <= len(interrupted.records) < 3
    same = [finished.records[record.position or 0] for record in interrupted.records]
    assert [numbers(record) for record in interrupted.records] == [numbers(record) for record in same]


@pytest.mark.slow
def test_an_interrupted_run_prints_its_leaderboard_and_no_traceback(interrupted: Outcome) -> None:
    assert "baseline:" in interrupted.done.stdout
    assert "Leaderboard: tiny" in interrupted.done.stdout
    assert "interrupted" in interrupted.done.stderr
    assert "Traceback" not in interrupted.done.stderr


@pytest.mark.slow
def test_an_interrupted_run_has_no_winner_yet_and_says_what_is_missing(interrupted: Outcome, finished: Outcome) -> None:
    assert "best so far: " in interrupted.done.stdout
    assert "the winner" not in interrupted.done.stdout
    assert re.search(r"still to be done: \d of \d trials?", interrupted.done.stderr)
    assert "the winner: " in finished.done.stdout
    assert "still to be done" not in finished.done.stderr


@pytest.mark.slow
def test_the_command_that_an_interrupted_run_prints_goes_on_with_it(
    call: Launch, interrupted: Outcome, finished: Outcome, tmp_path: Path
) -> None:
    (command,) = re.findall(r"tinysearch (run .*--resume.*)", interrupted.done.stderr)
    folder = shutil.copytree(interrupted.folder, tmp_path / "copy")
    more = call(folder, *shlex.split(command))
    assert more.returncode == 0, more.stderr
    resumed = outcome(more, folder)
    assert [numbers(record) for record in resumed.records] == [numbers(record) for record in finished.records]


# Spaces of one's own


@pytest.mark.usefixtures("untrained", "hasty_draws")
def test_a_space_of_six_members_is_searched_through_and_the_run_ends_well(
    call: Launch, tiny: Path, tmp_path: Path
) -> None:
    one = {
        "kinds": "conv",
        "kernels": "1x1",
        "strides": 4,
        "paddings": "same",
        "activations": "relu",
        "norms": "none",
        "biases": False,
        "repeats": 1,
        "shortcuts": False,
        "poolings": "none",
        "dropouts": 0,
        "head_poolings": "average",
        "hidden": 0,
    }
    spec = {"format": 2, "depth": [1], "filters": "1..6", **{name: [option] for name, option in one.items()}}
    (tmp_path / "six.json").write_text(json.dumps(spec))
    words = ("--data", tiny, "--trials", 100, "--space", "six.json", "--no-baselines", *SETTINGS)
    done = call(tmp_path, "run", *words)
    assert done.returncode == 0, done.stderr
    assert "no new candidate" in done.stderr
    records = outcome(done, tmp_path).records
    assert len({record.key for record in records}) == len(records) == 6


# Where data comes from


@pytest.mark.slow
@pytest.mark.usefixtures("untrained")
def test_the_commands_that_a_run_prints_can_be_pasted_even_if_there_are_spaces_in_them(
    call: Launch, tiny: Path, tmp_path: Path
) -> None:
    shutil.copy(tiny, tmp_path / "my data.npz")
    words = ("--data", "my data.npz", "--store", "my store.db", "--name", "my run", "--trials", 0, "--no-baselines")
    done = call(tmp_path, "run", *words, "--strategy", "random", "--epochs", 1, "--evaluate", 0)
    assert done.returncode == 0, done.stderr
    (command,) = re.findall(r"tinysearch (run .*--resume.*)", done.stderr)
    given = shlex.split(command)
    # The run knows where its data is.
    assert {"my store.db", "my run"} <= set(given)
    # Where there were no trials, some are suggested.
    assert given[given.index("--trials") + 1] == "20"
    again = call(tmp_path, *given)
    assert again.returncode == 0, again.stderr


@pytest.mark.usefixtures("untrained")
def test_where_there_is_no_mnist_the_run_says_prominently_that_it_goes_on_with_digits(
    call: Launch, tmp_path: Path
) -> None:
    done = call(tmp_path, "run", "--trials", 1, "--epochs", 1, "--budget", 1_000, *SETTINGS[2:])
    assert done.returncode == 0, done.stderr
    said = done.stderr.split("training 1 of")[0]
    assert "MNIST" in said
    assert "digits" in said
    assert "digits" in done.stdout.splitlines()[0]
    assert "not MNIST" in done.stdout
    (record,) = outcome(done, tmp_path).records
    assert record.dataset == "digits"


def test_where_there_is_no_mnist_but_it_is_asked_for_the_error_names_three_ways_to_go_on(
    call: Launch, tmp_path: Path
) -> None:
    done = call(tmp_path, "run", "--dataset", "mnist")
    assert (done.returncode, done.stdout) == (2, "")
    for remedy in ("--data", "TINYSEARCH_DATA", "network"):
        assert remedy in done.stderr
    assert "Traceback" not in done.stderr


# The winner


@pytest.mark.usefixtures("untrained_alike")
def test_the_winner_is_retrained_and_scored_on_the_test_images_once_per_seed(
    call: Launch, less_tiny: Path, tmp_path: Path
) -> None:
    words = (
        "run",
        "--data",
        less_tiny,
        "--trials",
        4,
        "--budget",
        3_000,
        "--epochs",
        2,
        "--name",
        "mine",
        "--evaluate",
        3,
    )
    done = call(tmp_path, *words, "--folds", 2, "--workers", 2, *SHALLOW)
    assert done.returncode == 0, done.stderr
    # Two are trained again: half as many as there are trials.
    assert done.stdout.count("% (n=2)") == 2
    assert done.stdout.count("% (n=3)") == 1
    assert "tinysearch evaluate" not in done.stderr
    records = outcome(done, tmp_path).records
    revalidated = [record for record in records if record.purpose == "revalidation"]
    leaders = ranked(record for record in records if record.purpose == "search")[:2]
    assert {(record.key, record.seed) for record in revalidated} == {(one.first.key, 1) for one in leaders}
    assert "revalidating the leaders, in one round: " in done.stderr
    winner = ranked(record for record in records if record.purpose != "evaluation")[0].first
    assert winner.key in {record.key for record in revalidated}
    assert f"{winner.name} leads with " in done.stderr
    assert "(n=2) after 2 revalidations" in done.stderr
    evaluated = [record for record in records if record.purpose == "evaluation"]
    assert {record.key for record in evaluated} == {ranked(records)[0].first.key}
    assert sorted(record.seed for record in evaluated) == [0, 1, 2]
    assert all(record.test_accuracy is not None for record in evaluated)
    again = call(tmp_path, "run", "--data", less_tiny, "--resume", "--evaluate", 1)
    assert again.returncode == 0, again.stderr
    assert "training 1 of" not in again.stderr
    assert "revalidating" not in again.stderr
    assert outcome(again, tmp_path).records == records


@pytest.mark.usefixtures("untrained")
def test_where_there_are_no_test_images_the_run_says_so_and_ends_well(
    call: Launch, tiny_arrays: dict[str, Any], tmp_path: Path
) -> None:
    held = {name: array for name, array in tiny_arrays.items() if name.endswith("_train")}
    np.savez(tmp_path / "untested.npz", **held)
    words = ("run", "--data", "untested.npz", "--trials", 1, "--budget", 3_000, "--epochs", 1, "--folds", 1, *SHALLOW)
    done = call(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert "note: no test figures: untested.npz has no array 'x_test'" in done.stderr
    assert len(outcome(done, tmp_path).records) == 1


# Ends before the end


def test_a_time_limit_ends_the_run_with_success(call: Launch, tiny: Path, tmp_path: Path) -> None:
    done = call(tmp_path, "run", "--data", tiny, *SMALL, "--time-limit", "0.01s")
    assert done.returncode == 0
    assert outcome(done, tmp_path).records == []
    assert "time limit" in done.stderr
    assert "--resume" in done.stderr


# How proposals are scheduled, and how a candidate is trained


@pytest.mark.slow
@pytest.mark.usefixtures("untrained")
def test_the_lag_decides_what_is_found_and_the_workers_do_not(call: Launch, tiny: Path, tmp_path: Path) -> None:
    def found(name: str, *words: object) -> list[str]:
        more = ("--trials", 6, "--no-baselines", "--strategy", "evolution", "--name", name, "--reuse", "none")
        more += ("--cold", "--designs", 0)
        done = call(tmp_path, "run", "--data", tiny, *SETTINGS, *more, *SHALLOW, *words)
        assert done.returncode == 0, done.stderr
        with Store(tmp_path / "store.db") as store:
            return [record.key for record in store.records(name)]

    one = found("one", "--workers", 1, "--lag", 2)
    assert found("two", "--workers", 2, "--lag", 2) == one
    assert found("three", "--workers", 3, "--lag", 2) == one
    with Store(tmp_path / "store.db") as store:
        assert {store.run(name).settings["lag"] for name in ("one", "two", "three")} == {2}


@pytest.mark.usefixtures("untrained")
def test_a_run_may_go_on_with_another_number_of_workers_and_not_with_another_lag(
    call: Launch, tiny: Path, tmp_path: Path
) -> None:
    words = ("run", "--data", tiny, "--name", "mine")
    first = call(tmp_path, *words, *SETTINGS, *SHALLOW, "--trials", 2, "--no-baselines", "--workers", 1)
    assert first.returncode == 0, first.stderr
    more = call(tmp_path, *words, "--resume", "--trials", 4, "--workers", 3)
    assert more.returncode == 0, more.stderr
    assert len(outcome(more, tmp_path).records) == 4
    refused = call(tmp_path, *words, "--resume", "--trials", 5, "--lag", 2)
    assert refused.returncode == 2
    assert "lag 8, now it is 2" in refused.stderr


@pytest.mark.usefixtures("untrained")
def test_workers_that_the_lag_leaves_idle_are_told_of_once_and_an_asynchronous_schedule_has_none(
    call: Launch, tiny: Path, tmp_path: Path
) -> None:
    words = ("run", "--data", tiny, *SETTINGS, *SHALLOW, "--trials", 1, "--no-baselines", "--workers", 9)
    done = call(tmp_path, *words)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("note: at most 8 of 9 workers are busy at a time") == 1
    done = call(tmp_path, *words, "--schedule", "async", "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert "workers are busy" not in done.stderr
    with Store(tmp_path / "store.db") as store:
        assert store.run("mine").settings["schedule"] == "async"
        assert list(store.proposals("mine")) == [0]


@pytest.mark.usefixtures("untrained")
def test_a_recipe_may_come_from_a_file(call: Launch, tiny: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"epochs": 3, "learning_rate": 0.2, "zoom": 0.1}))
    words = ("run", "--data", tiny, *SHALLOW, "--trials", 1, "--no-baselines", "--folds", 1, "--evaluate", 0)
    done = call(tmp_path, *words, "--recipe", "mine.json")
    assert done.returncode == 0, done.stderr
    (record,) = outcome(done, tmp_path).records
    assert (record.epochs, record.recipe["learning_rate"], record.recipe["zoom"]) == (3, 0.2, 0.1)
    assert "recipe custom" in done.stderr
    refused = call(tmp_path, *words, "--recipe", "ours.json")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "ours.json" in refused.stderr


@pytest.mark.usefixtures("untrained")
def test_resume_auto_begins_a_run_or_goes_on_with_it(call: Launch, tiny: Path, tmp_path: Path) -> None:
    words = ("run", "--data", tiny, *SETTINGS, *SHALLOW, "--no-baselines", "--name", "mine")
    for trials in (1, 3):
        done = call(tmp_path, *words, "--trials", trials, "--resume=auto")
        assert done.returncode == 0, done.stderr
        assert len(outcome(done, tmp_path).records) == trials
    taken = call(tmp_path, *words, "--trials", 3)
    assert taken.returncode == 2
    assert "'mine'" in taken.stderr
    wrong = call(tmp_path, *words, "--resume=later")
    assert wrong.returncode == 2
    assert "--resume=later" in wrong.stderr
