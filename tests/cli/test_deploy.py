from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.api.calls import open_study
from tinysearch.deploy import builds, targets
from tinysearch.report import figures

Run = Callable[..., subprocess.CompletedProcess[str]]
Once = Callable[[Callable[[Path], Any]], Any]


@pytest.fixture
def no_cross_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builds, "missing_arm_tools", lambda: ["arm-none-eabi-gcc"])


@pytest.fixture
def key(untrained: None, call: Run, once: Once, tiny: Path, tmp_path: Path) -> str:
    """Return the key of what a run found, whose store is in the folder of the test."""

    def deployable_run(folder: Path) -> tuple[str, Path]:
        done = call(
            folder,
            *("run", "--budget", "1000", "--trials", "1", "--epochs", "1", "--data", tiny, "--name", "a"),
            *("--folds", "1", "--max-flash", "16K", "--max-ram", "60K"),
        )
        assert done.returncode == 0, done.stderr
        (folder / "stderr").write_text(done.stderr.replace(str(folder), "."))
        rows = json.loads(call(folder, "leaderboard", "--format", "json").stdout)
        return str(next(row["key"] for row in rows if row["origin"] == "search")), folder

    found: tuple[str, Path] = once(deployable_run)
    shutil.copytree(found[1], tmp_path, dirs_exist_ok=True)
    return found[0]


@pytest.mark.usefixtures("no_cross_tools")
def test_a_candidate_of_a_run_becomes_c(key: str, tinysearch: Run, tiny: Path, tmp_path: Path) -> None:
    done = tinysearch("deploy", key, "--to", "c", "-o", tmp_path / "out", "--data", tiny)
    assert done.returncode == 0, done.stderr
    assert "C int8" in done.stdout
    assert "note: arm-none-eabi-gcc cannot be found" in done.stdout
    record = json.loads((tmp_path / "out" / "deployment.json").read_text())
    assert record["candidate"]["key"] == key
    assert record["candidate"]["run"] == "a"
    readme = (tmp_path / "out" / "README.md").read_text()
    assert "The network was trained on all training images with seed 0, " in readme
    assert "Over 3 seeds the candidate reaches " in readme
    shown = tinysearch("show", key).stdout.split("deployed")[1]
    assert "c int8" in shown
    assert "LiteRT int8" in shown
    stored = json.loads(tinysearch("show", key, "--format", "json").stdout)["deployments"]
    # Other tests deploy the same candidate, perhaps before this one.
    assert record in stored


@pytest.mark.usefixtures("no_cross_tools")
def test_the_limits_of_the_run_are_the_last_that_is_said(
    key: str, tinysearch: Run, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = tinysearch("deploy", key, "--to", "c", "-o", tmp_path / "out", "--data", tiny, "--vectors", 2)
    said = done.stdout.partition("limits of run a: fewer than 1,000 parameters, 16,384 bytes of flash, ")[2]
    assert "61,440 bytes of RAM" in said
    assert said.count(" fits: ") == 3
    found = json.loads((tmp_path / "out" / "deployment.json").read_text())
    assert found["fits"] is True
    assert "2 of 2 answers as expected" in done.stdout
    # What is built takes more than was predicted.
    sizes = {"cortex-m4 -Os": {"flash": 16_400, "ram": 61_441}}
    monkeypatch.setattr(targets, "build_and_run", lambda folder, findings: findings.sizes.update(sizes))
    over = tinysearch("deploy", key, "--to", "c", "-o", tmp_path / "out", "--data", tiny)
    assert over.returncode == 0
    words = "cortex-m4 -Os does not fit: 16 bytes of flash over the limit (16,400 of 16,384), 1 bytes of RAM over"
    assert words in " ".join(over.stdout.partition("limits of run a")[2].split())


def test_one_training_is_loaded_deployed_and_shown(key: str, tinysearch: Run, tiny: Path, tmp_path: Path) -> None:
    done = tinysearch("deploy", key, "--to", "tflite", "-o", tmp_path / "out", "--data", tiny)
    of = json.loads((tmp_path / "out" / "deployment.json").read_text())["candidate"]
    words = figures.training(of["purpose"], of["seed"], of["test_accuracy"])
    assert (of["purpose"], of["seed"]) == ("evaluation", 0)
    assert f"the network was {words}" in done.stdout
    assert sorted(of["test_accuracies"]) == ["0", "1", "2"]
    assert "over 3 seeds the candidate reaches " in done.stdout
    (loaded,) = re.findall(
        r"load: +keras.saving.load_model\('(.*)'\)  # (.*); deploy exports the same", _said(tmp_path)
    )
    assert loaded[1] == words
    shown = tinysearch("show", key).stdout.replace(str(tmp_path), ".")
    assert f"'tinysearch deploy' exports the network {words}: {loaded[0]}" in shown
    opened = open_study("a", store=tmp_path / "store.db", data=tiny)
    try:
        best = opened.best
        assert best.training is not None
        assert (best.key, best.training.test_accuracy) == (key, of["test_accuracy"])
        assert best.model_path.samefile(tmp_path / loaded[0])
    finally:
        opened.close()


def _said(folder: Path) -> str:
    return (folder / "stderr").read_text()


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.usefixtures("no_cross_tools")
def test_a_network_of_two_datasets_is_deployed_for_the_one_that_was_named(
    key: str, tinysearch: Run, tiny_arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    turned = tmp_path / "turned.npz"
    np.savez(turned, **{name: one[:, ::-1] if name.startswith("x") else one for name, one in tiny_arrays.items()})
    other = tinysearch(
        *("run", "--budget", "1000", "--trials", "1", "--epochs", "1", "--data", turned, "--name", "b", "--folds", "1"),
        *("--max-flash", "17K", "--max-ram", "60K"),
    )
    assert other.returncode == 0, other.stderr
    unclear = tinysearch("deploy", key, "--to", "c", "-o", tmp_path / "out")
    assert unclear.returncode == 2
    assert f"{key} was trained on 2 datasets; choose one with --run a (tiny) or --run b (turned)" in unclear.stderr
    for run, limit, others in (("a", "16,384", "17,408"), ("b", "17,408", "16,384")):
        done = tinysearch("deploy", key, "--run", run, "--to", "c", "-o", tmp_path / run)
        assert done.returncode == 0, done.stderr
        assert f"limits of run {run}: fewer than 1,000 parameters, {limit} bytes of flash" in done.stdout
        assert f"{others} bytes of flash" not in done.stdout
        record = json.loads((tmp_path / run / "deployment.json").read_text())
        assert record["candidate"]["run"] == run
        assert ("turned" in record["compared_on"]) == (run == "b")
    by_data = tinysearch("deploy", key, "--data", turned, "--to", "c", "-o", tmp_path / "c")
    assert "limits of run b: " in by_data.stdout
    assert "limits of run a: " not in by_data.stdout


def test_a_run_that_has_not_trained_it_is_refused(key: str, tinysearch: Run, tmp_path: Path) -> None:
    done = tinysearch("deploy", key, "--run", "b", "--to", "c", "-o", tmp_path / "out")
    assert done.returncode == 2
    assert done.stderr == f"error: {key} was not trained in run 'b'; it was trained in 'a'\n"


def test_what_is_suggested_names_the_run(key: str, tmp_path: Path) -> None:
    assert f"tinysearch deploy {key} --run a --to c -o out" in _said(tmp_path)
