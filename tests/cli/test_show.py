from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.baselines.models import BASELINES, INCEPTION
from tinysearch.results.archive import REFERENCE, read
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import cost
from tinysearch.space.notation import notation
from tinysearch.space.task import Task

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def store(tmp_path: Path, make_record: Callable[..., Record]) -> None:
    """Fill the store with a candidate of two seeds and another that failed."""
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        for seed, accuracy in ((0, 0.875), (1, 0.625)):
            store.append(make_record("abc123", seed=seed, val_accuracy=accuracy, earlier=(0.5,), trial=4))
        store.append(make_record("fff000", failure="loss was nan"))


@pytest.mark.parametrize("name", list(BASELINES))
def test_a_documented_model_is_shown_with_its_layers(light: Tinysearch, name: str) -> None:
    done = light("show", f"baseline:{name}")
    architecture = BASELINES[name].architecture
    assert (done.returncode, done.stderr) == (0, "")
    assert f"baseline:{name}" in done.stdout
    assert notation(architecture) in done.stdout
    layers = cost(architecture, Task()).layers
    # Those within a block are named by their block and branch.
    assert all(re.sub(r"inception(\d+)_branch(\d+)_", r"\1.\2 ", layer.name) in done.stdout for layer in layers)


def test_trainings_of_a_documented_model_are_shown_where_there_are_any(light: Tinysearch) -> None:
    done = light("show", "baseline:inception", "--reference", "--format", "json")
    found = json.loads(done.stdout)["records"]
    assert {record["run"] for record in found} >= {"reproduce-mnist"}
    assert "reproduce-mnist" in light("show", "baseline:inception", "--reference").stdout


@pytest.mark.usefixtures("store")
def test_a_trained_candidate_is_shown_with_curve_and_provenance(light: Tinysearch) -> None:
    done = light("show", "abc")
    assert done.returncode == 0
    for word in ("abc123", "first", "trial 5", "0123456789abcdef", "87.50 %", "62.50 %", "epoch"):
        assert word in done.stdout


def test_where_a_model_is_kept_is_said(light: Tinysearch) -> None:
    with read(REFERENCE) as store:
        key = next(one.key for one in store.records() if one.test_accuracy and one.origin == "search")
    done = light("show", key, "--reference", "--format", "json")
    models = [one["model"] for one in json.loads(done.stdout)["records"] if one["model"]]
    assert [Path(model).name for model in models] == [f"{key}.keras"]
    assert Path(models[0]).is_file()
    printed = light("show", key, "--reference").stdout
    assert f"{key}.keras" in "".join(printed.split())


@pytest.mark.usefixtures("store")
def test_a_failed_candidate_is_shown_with_its_failure(light: Tinysearch) -> None:
    done = light("show", "fff000")
    assert done.returncode == 0
    assert "loss was nan" in done.stdout


@pytest.mark.usefixtures("store")
def test_json_has_architecture_cost_and_every_record(light: Tinysearch) -> None:
    found = json.loads(light("show", "abc123", "--format", "json").stdout)
    assert Architecture.from_dict(found["architecture"]).layers
    assert found["cost"]["params"] == 1_000
    assert [record["seed"] for record in found["records"]] == [0, 1]
    assert [point["val_accuracy"] for point in found["records"][0]["measurement"]["curve"]] == [0.5, 0.875]


def test_json_of_a_documented_model_has_no_records(light: Tinysearch) -> None:
    found = json.loads(light("show", "baseline:inception", "--format", "json").stdout)
    assert found["records"] == []
    assert Architecture.from_dict(found["architecture"]) == INCEPTION.architecture


def test_what_show_prints_as_json_can_be_costed(light: Tinysearch, tmp_path: Path) -> None:
    found = json.loads(light("show", "baseline:inception", "--format", "json").stdout)
    (tmp_path / "copy.json").write_text(json.dumps(found["architecture"]))
    assert json.loads(light("cost", "copy.json", "--format", "json").stdout) == found["cost"]


def test_all_metrics_of_a_training_are_shown(
    light: Tinysearch, tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        settings = {"objective": "macro_f1", "direction": "max"}
        store.create_run("macro", "toy", "0123456789abcdef", settings)
        measured = {"balanced_accuracy": 0.25, "macro_f1": 0.125}
        network = {"architecture": INCEPTION.architecture, "cost": cost(INCEPTION.architecture, Task())}
        store.append(make_record("abc", run="macro", earlier=(0.5,), metrics=measured, **network))
        for seed in (0, 1):
            tested = {"purpose": "evaluation", "test_accuracy": 0.5, "test_metrics": {"macro_f1": 0.25 + seed / 2}}
            store.append(make_record("abc", run="macro", val_accuracy=None, seed=seed, **tested, **network))
    text = " ".join(light("show", "abc").stdout.split())
    for words in (
        "validation macro F1 12.50 %",
        "validation balanced accuracy 25.00 %",
        "test macro F1 50.00 ± 35.36 %",
    ):
        assert words in text
    card = light("show", "abc", "--format", "markdown").stdout
    assert "| images held out for validation | macro F1 | 12.50 % | 0 |" in card
    assert "| test images | macro F1 | 50.00 ± 35.36 % | 0, 1 |" in card
    first, *tests = json.loads(light("show", "abc", "--format", "json").stdout)["records"]
    assert (first["objective"], first["metrics"]) == ("macro_f1", {"accuracy": 0.9, **measured})
    assert [one["test_metrics"] for one in tests] == [{"macro_f1": 0.25}, {"macro_f1": 0.75}]
