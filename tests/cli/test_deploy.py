from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.deploy import targets

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def no_cross_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "missing_arm_tools", lambda: ["arm-none-eabi-gcc"])


@pytest.fixture
def key(untrained: None, tinysearch: Run, tiny: Path) -> str:
    done = tinysearch(
        "run", "--budget", "1000", "--trials", "1", "--epochs", "1", "--data", tiny, "--name", "a", "--folds", "1"
    )
    assert done.returncode == 0, done.stderr
    rows = json.loads(tinysearch("leaderboard", "--format", "json").stdout)
    return str(next(row["key"] for row in rows if row["origin"] == "search"))


@pytest.mark.usefixtures("no_cross_tools")
def test_a_candidate_of_a_run_becomes_c(key: str, tinysearch: Run, tiny: Path, tmp_path: Path) -> None:
    done = tinysearch("deploy", key, "--to", "c", "-o", tmp_path / "out", "--data", tiny)
    assert done.returncode == 0, done.stderr
    assert "C int8" in done.stdout
    assert "note: arm-none-eabi-gcc cannot be found" in done.stdout
    record = json.loads((tmp_path / "out" / "deployment.json").read_text())
    assert record["candidate"]["key"] == key
    assert record["candidate"]["run"] == "a"
    shown = tinysearch("show", key).stdout.split("deployed")[1]
    assert "c int8" in shown
    assert "LiteRT int8" in shown
    stored = json.loads(tinysearch("show", key, "--format", "json").stdout)["deployments"]
    assert stored == [record]


def test_a_model_that_was_not_kept_is_trained_again(key: str, tinysearch: Run, tiny: Path, tmp_path: Path) -> None:
    for model in tmp_path.rglob("*.keras"):
        model.unlink()
    done = tinysearch("deploy", key, "--to", "tflite", "-o", tmp_path / "out", "--data", tiny)
    assert done.returncode == 0, done.stderr
    assert f"note: the model of {key} was not kept; it is trained again, with seed" in done.stderr
    assert json.loads((tmp_path / "out" / "deployment.json").read_text())["candidate"]["purpose"] == "trained again"


def test_an_unknown_target_is_refused_before_anything_else(tinysearch: Run) -> None:
    done = tinysearch("deploy", "nothing", "--to", "elf", "-o", "out")
    assert done.returncode == 2
    assert done.stderr == "error: a network can be deployed to c, tflite, onnx, saved_model; got 'elf'\n"


def test_what_was_never_trained_cannot_be_deployed(tinysearch: Run, tiny: Path) -> None:
    done = tinysearch("deploy", "baseline:conv", "--to", "c", "-o", "out", "--data", tiny)
    assert done.returncode == 2
    assert "baseline:conv has not been trained in this store" in done.stderr


def test_other_images_than_those_it_was_trained_on_are_refused(key: str, tinysearch: Run) -> None:
    done = tinysearch("deploy", key, "--to", "c", "-o", "out", "--dataset", "digits")
    assert done.returncode == 2
    assert "give the data it was trained on with --data or --dataset" in done.stderr
