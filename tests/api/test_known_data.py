"""A run that is in the store finds its data again, or says why it does not."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from stand_ins import FakeWorker, UntrainedWorker

import tinysearch
from tinysearch.api.known_data import Given, as_given, load_data_of, source_of, sources_of_evaluations
from tinysearch.data.readers.reader import Reading
from tinysearch.data.source import Source
from tinysearch.errors import DatasetError, InputError, RunError
from tinysearch.results.archive import read, write
from tinysearch.results.run import Run
from tinysearch.results.store import Store

NARROW = {"format": 2, "depth": [1], "kinds": ["conv"], "filters": "1..40", "repeats": [1]}
QUICK: dict[str, Any] = {
    "trials": 2,
    "strategy": "random",
    "baselines": False,
    "space": NARROW,
    "epochs": 2,
    "folds": 1,
    "evaluate": 0,
}


# What is said of the pictures is not of interest here.
pytestmark = pytest.mark.filterwarnings("ignore::tinysearch.errors.TinySearchWarning")


@pytest.fixture(autouse=True)
def _nothing_else_at_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(name: str) -> None:
        raise AssertionError(f"{name} was to be downloaded")

    monkeypatch.delenv("TINYSEARCH_DATA", raising=False)
    monkeypatch.setattr("tinysearch.data.loading._download", offline)


@pytest.fixture
def zoo(tmp_path: Path) -> Path:
    """Return a folder of pictures of several sizes, which cannot be read without a size."""
    rng = np.random.default_rng(0)
    for part, count in (("train", 12), ("test", 6)):
        for name in ("ant", "bee"):
            folder = tmp_path / "zoo" / part / name
            folder.mkdir(parents=True)
            for number in range(count):
                side = 10 + number % 3
                Image.fromarray(rng.integers(0, 256, (side, side), np.uint8)).save(folder / f"{number}.png")
    return tmp_path / "zoo"


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store.db", create=True)


@pytest.fixture
def begun(store: Store, zoo: Path) -> Store:
    """Return a store with a run ``mine`` on the pictures."""
    with tinysearch.Study(900, data=zoo, reading=Reading(size=(12, 12)), store=store, name="mine", **QUICK) as study:
        study.carry_out(executor=FakeWorker().executor())
    return store


def run_of(**source: Any) -> Run:
    return Run("mine", "zoo", "f" * 16, {}, {}, "now", None, source or None)


def test_a_run_goes_on_with_its_data_from_anywhere(
    begun: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path.parent)
    with tinysearch.open("mine", store=begun) as study:
        assert study.dataset.task.input_shape == (12, 12, 1)
        study.run(4, executor=FakeWorker().executor())
    assert len(begun.records("mine")) == 4


def test_its_winner_is_evaluated_and_reproduced_without_a_word_on_data(begun: Store) -> None:
    found = tinysearch.evaluate("mine", seeds=1, store=begun, executor=UntrainedWorker().executor(), verbose=0)
    assert [one.test_accuracy is not None for one in found] == [True]
    done = tinysearch.reproduce([found[0].key], store=begun, executor=UntrainedWorker().executor(), verbose=0)
    assert (done.dataset.name, len(done.records)) == ("zoo", 1)
    assert [one.path for one in sources_of_evaluations(begun)] == [done.dataset.read_from.path] * 1


def test_a_frontier_goes_on_with_its_data(store: Store, zoo: Path) -> None:
    given = {"store": store, "executor": FakeWorker().executor(), "folds": 1, "evaluate": 0, "epochs": 2}
    narrow = {"space": NARROW, "baselines": False}
    tinysearch.frontier([500, 900], data=zoo, reading=Reading(size=(12, 12)), trials=2, **given, **narrow)
    found = tinysearch.frontier([500, 900], trials=4, **given, **narrow)
    assert len(found.records[900]) == 4


def test_data_that_was_moved_is_given_by_its_place_alone_and_that_is_kept(begun: Store, zoo: Path) -> None:
    moved = zoo.rename(zoo.with_name("elsewhere"))
    with pytest.raises(
        DatasetError, match=rf"{re.escape(str(zoo))}, which no longer exists; give its new path with `data=`"
    ):
        tinysearch.open("mine", store=begun)
    with tinysearch.Study(data=moved, store=begun, name="mine", resume=True) as study:
        study.run(3, executor=FakeWorker().executor())
    assert begun.run("mine").source == {"path": str(moved), "size": [12, 12]}
    tinysearch.open("mine", store=begun).close()


def test_an_evaluation_keeps_the_new_place_too(begun: Store, zoo: Path) -> None:
    moved = zoo.rename(zoo.with_name("elsewhere"))
    tinysearch.evaluate("mine", seeds=1, data=moved, store=begun, executor=UntrainedWorker().executor(), verbose=0)
    assert begun.run("mine").source == {"path": str(moved), "size": [12, 12]}


def test_data_that_has_changed_is_refused_with_both_fingerprints(begun: Store, zoo: Path) -> None:
    before = begun.run("mine").fingerprint
    shutil.copy(zoo / "train" / "ant" / "0.png", zoo / "train" / "bee" / "0.png")
    with pytest.raises(RunError) as caught:
        tinysearch.open("mine", store=begun)
    said = str(caught.value)
    assert f"{zoo} `reading=Reading(size=(12, 12))` with fingerprint {before}" in said
    assert "the data has changed" in said
    assert "`data=`" in said


def test_another_size_is_refused_with_both_sizes(begun: Store, zoo: Path) -> None:
    for data in ("auto", zoo):
        with pytest.raises(
            RunError,
            match=re.escape(
                "with `reading=Reading(size=(12, 12))`, got `reading=Reading(size=(16, 16))`; leave it out"
            ),
        ):
            tinysearch.Study(data=data, reading=Reading(size=(16, 16)), store=begun, name="mine", resume=True)
    with pytest.raises(
        RunError, match=re.escape("without `reading=Reading(layout=...)`, got `reading=Reading(layout='chw')`")
    ):
        tinysearch.evaluate("mine", reading=Reading(layout="chw"), store=begun)
    tinysearch.Study(reading=Reading(size=(12, 12)), store=begun, name="mine", resume=True).close()


def test_another_file_is_read_as_it_is_and_its_fingerprint_decides(begun: Store, tiny: Path) -> None:
    with pytest.raises(RunError, match="fingerprint"):
        tinysearch.open("mine", store=begun, data=tiny)


def test_arrays_are_to_be_given_again(store: Store, tiny_arrays: dict[str, np.ndarray]) -> None:
    arrays = (tiny_arrays["x_train"], tiny_arrays["y_train"])
    with tinysearch.Study(900, data=arrays, store=store, name="mine", **QUICK) as study:
        study.run(executor=FakeWorker().executor())
    assert store.run("mine").source == {}
    for call in (lambda: tinysearch.open("mine", store=store), lambda: tinysearch.evaluate("mine", store=store)):
        with pytest.raises(DatasetError, match="given in Python, so it cannot be read again; give the same arrays"):
            call()
    with tinysearch.open("mine", store=store, data=arrays) as study:
        assert len(study.records) == 2


def test_arrays_that_are_ambiguous_are_given_again_with_how_they_are_read(store: Store) -> None:
    arrays = (np.random.default_rng(0).integers(0, 256, (60, 3, 12, 3), np.uint8), np.arange(60) % 3)
    reading = Reading(layout="hwc")
    with tinysearch.Study(900, data=arrays, reading=reading, store=store, name="mine", **QUICK) as study:
        study.run(executor=FakeWorker().executor())
    with pytest.raises(DatasetError, match="`reading=Reading"):
        tinysearch.open("mine", store=store, data=arrays)
    with tinysearch.open("mine", store=store, data=arrays, reading=reading) as study:
        assert len(study.records) == 2


def test_a_study_is_opened_with_a_known_dataset_by_its_name(begun: Store) -> None:
    with pytest.raises(RunError, match="digits"):
        tinysearch.open("mine", store=begun, dataset="digits")


def test_a_run_of_an_earlier_version_says_that_it_did_not_note_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatasetError, match="run 'mine' was made on zoo, and an earlier version of tinysearch did not"):
        as_given(run_of(), Given())
    # Where the environment says where data is, it is taken as before.
    monkeypatch.setenv("TINYSEARCH_DATA", "zoo.npz")
    assert as_given(run_of(), Given()) == Given()


def test_of_an_earlier_run_the_name_of_a_known_dataset_is_enough() -> None:
    run = replace(run_of(), dataset="digits")
    assert source_of(run) == Source("digits")
    assert as_given(run, Given()).dataset == "digits"
    with pytest.raises(RunError, match="digits with fingerprint ffffffffffffffff, which has fingerprint"):
        load_data_of(run, Given())


def test_what_is_given_otherwise_stays_as_it_is(tiny: Path) -> None:
    run = run_of(path="/data/zoo", size=[12, 12])
    for given in (Given(dataset="mnist"), Given(data=([], [])), Given(data=tiny, reading=Reading(layout="hw"))):
        assert as_given(run, given) == given
    # It may hold the same images in another form.
    assert as_given(run, Given(data="/new/zoo")) == Given("/new/zoo", reading=Reading(size=(12, 12)))


def test_a_source_that_is_damaged_is_an_error_that_shows_it() -> None:
    with pytest.raises(InputError, match="path"):
        as_given(run_of(path=3), Given())


def test_an_archive_has_no_folders_of_this_machine(begun: Store, zoo: Path, tmp_path: Path) -> None:
    write(begun, ["mine"], tmp_path / "archive.jsonl")
    text = (tmp_path / "archive.jsonl").read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert read(tmp_path / "archive.jsonl").run("mine").source == {"path": "zoo", "size": [12, 12]}


def test_what_came_from_an_archive_is_found_where_the_data_lies(
    begun: Store, zoo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(begun, ["mine"], tmp_path / "archive.jsonl")
    run = read(tmp_path / "archive.jsonl").run("mine")
    monkeypatch.chdir(tmp_path)
    assert load_data_of(run, Given()).fingerprint == run.fingerprint


def test_on_the_command_line_nothing_is_typed_again(
    begun: Store, call: Callable[..., Any], untrained: None, tmp_path: Path
) -> None:
    key = begun.records("mine")[0].key
    begun.close()
    for words in (
        ("run", "--name", "mine", "--resume", "--trials", 3, "--workers", 1),
        ("evaluate", "mine", "--seeds", 1, "--workers", 1),
        ("reproduce", key, "--seeds", 1, "--workers", 1),
        ("deploy", key, "--to", "saved_model", "-o", "out"),
        ("report", "mine", "-o", "page.html"),
        ("show", key, "--format", "markdown"),
    ):
        done = call(tmp_path, *words)
        assert done.returncode == 0, done.stderr
    wrong = call(tmp_path, "evaluate", "mine", "--size", "16x16")
    assert wrong.returncode == 2
    assert "run 'mine' has read its data with --size 12x12, got --size 16x16" in wrong.stderr


def test_baselines_are_trained_on_the_data_of_a_run(
    begun: Store, call: Callable[..., Any], untrained: None, tmp_path: Path
) -> None:
    begun.close()
    done = call(tmp_path, "reproduce", "inception", "--epochs", 1, "--run", "mine", "--workers", 1)
    assert done.returncode == 0, done.stderr
    assert "measured on zoo" in done.stdout
    # What is said of MNIST alone is not said here.
    assert "97.36" not in done.stdout
    unknown = call(tmp_path, "reproduce", "inception", "--run", "other")
    assert unknown.returncode == 2
    assert "no run named 'other'" in unknown.stderr


@pytest.mark.slow
def test_what_an_evaluation_suggests_can_be_pasted(
    begun: Store, call: Callable[..., Any], untrained: None, tmp_path: Path
) -> None:
    begun.close()
    done = call(tmp_path, "evaluate", "mine", "--seeds", 1, "--workers", 1)
    (command,) = re.findall(r"tinysearch (reproduce .*)", done.stderr)
    assert command == "reproduce --seeds 3 --run mine"
    again = call(tmp_path, *command.split(), "--epochs", 1, "--workers", 1)
    assert again.returncode == 0, again.stderr
