from __future__ import annotations

import statistics
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from tinysearch.results.archive import REFERENCE, read
from tinysearch.results.record import Record
from tinysearch.results.store import Store

Done = subprocess.CompletedProcess[str]


class Reproduced(NamedTuple):
    """A command, the same command again, and what the store holds after each."""

    first: Done
    second: Done
    records: list[Record]
    records_later: list[Record]


@pytest.fixture
def reproduced(call: Callable[..., Done], tiny: Path, once: Callable[..., Reproduced], untrained: None) -> Reproduced:
    def twice(folder: Path) -> Reproduced:
        def reproduce() -> tuple[Done, list[Record]]:
            done = call(folder, "reproduce", "inception", "--data", tiny, "--epochs", 1, "--seeds", 2)
            assert done.returncode == 0, done.stderr
            with Store(folder / "store.db") as store:
                return done, store.records()

        (first, records), (second, later) = reproduce(), reproduce()
        return Reproduced(first, second, records, later)

    return once(twice)


@pytest.mark.slow
def test_the_table_shows_what_was_measured(reproduced: Reproduced) -> None:
    (line,) = (line for line in reproduced.first.stdout.splitlines() if line.strip().startswith("inception"))
    tests = [record.test_accuracy or 0.0 for record in reproduced.records]
    assert "3,077 (3,077 + 0)" in line
    # What is documented is of MNIST, and these images are not.
    assert "97.36 %" not in line
    assert f"{100 * statistics.fmean(tests):.2f} ± {100 * statistics.stdev(tests):.2f} % (n=2)" in line
    assert "MNIST" in reproduced.first.stdout


def test_every_seed_is_an_evaluation_of_the_baseline_by_the_documented_recipe(reproduced: Reproduced) -> None:
    assert sorted(record.seed for record in reproduced.records) == [0, 1]
    for record in reproduced.records:
        assert (record.name, record.origin, record.purpose) == ("baseline:inception", "baseline", "evaluation")
        assert record.recipe["optimizer"] == "adam"
        assert record.test_accuracy is not None
        assert len(record.measurement.curve) == 1


def test_data_goes_to_stdout_and_progress_to_stderr(reproduced: Reproduced) -> None:
    assert "training" not in reproduced.first.stdout.splitlines()[0]
    assert "training 2 of 2" in reproduced.first.stderr
    assert "(n=2)" not in reproduced.first.stderr
    assert "\x1b" not in reproduced.first.stdout + reproduced.first.stderr
    assert "WARNING" not in reproduced.first.stderr


def test_what_was_trained_already_is_not_trained_again(reproduced: Reproduced) -> None:
    assert "training " not in reproduced.second.stderr
    assert reproduced.second.stdout == reproduced.first.stdout
    assert reproduced.records_later == reproduced.records


def test_data_without_test_images_cannot_be_reproduced_on(
    call: Callable[..., Done], tmp_path: Path, tiny_arrays: dict[str, np.ndarray]
) -> None:
    np.savez(tmp_path / "mine.npz", x_train=tiny_arrays["x_train"], y_train=tiny_arrays["y_train"])
    done = call(tmp_path, "reproduce", "inception", "--data", "mine.npz", "--epochs", 1)
    assert done.returncode == 2
    assert "x_test" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("untrained")
def test_a_candidate_of_the_reference_results_is_trained_again_by_its_own_recipe(
    call: Callable[..., Done], tiny: Path, tmp_path: Path
) -> None:
    with read(REFERENCE) as store:
        recorded = next(one for one in store.records() if one.purpose == "evaluation" and one.origin == "search")
    done = call(tmp_path, "reproduce", recorded.key[:8], "--data", tiny, "--seeds", 2)
    assert done.returncode == 0, done.stderr
    (line,) = (line for line in done.stdout.splitlines() if line.strip().startswith(recorded.key))
    assert f"{recorded.cost.params:,}" in line
    assert "other training images" in done.stdout
    with Store(tmp_path / "store.db") as store:
        again = store.records()
    assert [(one.key, one.recipe, one.purpose) for one in again] == [(recorded.key, recorded.recipe, "evaluation")] * 2
    assert all(one.measurement.val_accuracy is None for one in again)


@pytest.mark.parametrize("words", [("--recipe", "default"), ("--epochs", "1"), ("--plateau-factor", "2")], ids=" ".join)
def test_a_candidate_has_its_own_recipe(call: Callable[..., Done], tmp_path: Path, words: tuple[str, ...]) -> None:
    with read(REFERENCE) as store:
        key = store.records()[0].key
    done = call(tmp_path, "reproduce", key, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert words[0] in done.stderr
