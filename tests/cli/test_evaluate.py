from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.data.loading import load
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.cost import cost
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import recipe

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]
GOOD, BAD = (
    Candidate(Architecture((Conv(filters, stride=4),), Head("average")), recipe("default", epochs=1))
    for filters in (3, 2)
)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, tiny: Path, make_record: Callable[..., Record]) -> Path:
    """Fill the store with a run of two candidates on ``tiny.npz``."""
    mark = load(data=tiny).fingerprint
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("mine", "tiny", mark, {})
        store.create_run("empty", "tiny", mark, {})
        for candidate, score in ((BAD, 0.4), (GOOD, 0.6)):
            store.append(
                make_record(
                    candidate.key,
                    run="mine",
                    val_accuracy=score,
                    architecture=candidate.architecture,
                    cost=cost(candidate.architecture, Task()),
                    recipe=candidate.recipe.to_dict(),
                    dataset="tiny",
                    fingerprint=mark,
                )
            )
    return tmp_path / "store.db"


@pytest.mark.slow
@pytest.mark.usefixtures("trained_here")
def test_the_network_is_scored_in_int8_beside_float32(tinysearch: Tinysearch, tiny: Path) -> None:
    words = ("evaluate", "mine", "--data", tiny, "--seeds", 2)
    assert tinysearch(*words).returncode == 0
    done = tinysearch(*words, "--int8")
    assert done.returncode == 0, done.stderr
    assert "int8" in done.stdout
    best, other = json.loads(tinysearch("leaderboard", "--format", "json").stdout)
    assert (best["int8_seeds"], other["int8_seeds"]) == (2, 0)
    assert abs(best["int8_accuracy_mean"] - best["test_accuracy_mean"]) < 0.2
    assert "test accuracy in int8" in tinysearch("show", GOOD.key).stdout


@pytest.mark.usefixtures("trained_here")
def test_the_best_is_scored_on_the_test_images_once_per_seed(tinysearch: Tinysearch, tiny: Path, store: Path) -> None:
    done = tinysearch("evaluate", "mine", "--data", tiny, "--seeds", 2)
    assert done.returncode == 0, done.stderr
    assert "(n=2)" in done.stdout
    assert "training 2 of 2" in done.stderr
    assert "training" not in done.stdout
    best, other = json.loads(tinysearch("leaderboard", "--format", "json").stdout)
    assert (best["key"], best["test_seeds"], best["val_accuracy"]) == (GOOD.key, 2, 0.6)
    assert best["test_accuracy_mean"] is not None
    assert (other["key"], other["test_seeds"]) == (BAD.key, 0)
    with Store(store) as opened:
        before = opened.records()
    again = tinysearch("evaluate", "mine", "--data", tiny, "--seeds", 2)
    assert again.returncode == 0
    assert "training " not in again.stderr
    assert again.stdout == done.stdout
    with Store(store) as opened:
        assert opened.records() == before


@pytest.mark.usefixtures("untrained")
def test_what_was_evaluated_is_compared_with_documented_models_on_the_same_test_images(
    tinysearch: Tinysearch, tiny: Path
) -> None:
    alone = tinysearch("evaluate", "mine", "--data", tiny, "--seeds", 1)
    assert "McNemar" not in alone.stdout
    assert "tinysearch reproduce" in alone.stderr
    assert tinysearch("reproduce", "inception", "--data", tiny, "--epochs", 1).returncode == 0
    done = tinysearch("evaluate", "mine", "--data", tiny, "--seeds", 1)
    assert done.returncode == 0, done.stderr
    assert f"{GOOD.key} (n=1) against the hand-designed baselines" in done.stdout
    (line,) = (line for line in done.stdout.splitlines() if "inception (documented, 90 %)" in line)
    assert line.split()[-1] in ("better", "worse", "unclear")


@pytest.mark.parametrize(
    ("run", "options", "words"),
    [
        ("ghost", ["--dataset", "digits"], ["'ghost'", "mine, empty"]),
        ("mine", ["--dataset", "digits"], ["tiny", "digits"]),
    ],
)
def test_a_run_that_cannot_be_evaluated(light: Tinysearch, run: str, options: list[str], words: list[str]) -> None:
    done = light("evaluate", run, *options)
    assert done.returncode == 2
    assert all(word in done.stderr for word in words)


def test_a_run_without_candidates_cannot_be_evaluated(light: Tinysearch, tiny: Path) -> None:
    done = light("evaluate", "empty", "--data", tiny)
    assert done.returncode == 2
    assert "'empty'" in done.stderr
