from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.baselines.models import BASELINES, CONV
from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("name", "params", "trainable", "non_trainable"),
    [("conv", 8_640, 8_580, 60), ("separable", 4_967, 4_879, 88), ("inception", 3_077, 3_077, 0)],
)
def test_the_documented_models_have_the_documented_counts(
    light: Tinysearch, name: str, params: int, trainable: int, non_trainable: int
) -> None:
    done = light("cost", f"baseline:{name}", "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(found) == [
        "params",
        "trainable_params",
        "non_trainable_params",
        "macs",
        "peak_activation_bytes",
        "int8_weight_bytes",
        "flash_bytes",
        "avr_flash_bytes",
        "ram_bytes",
        "image_bytes",
        "layers",
    ]
    assert (found["params"], found["trainable_params"], found["non_trainable_params"]) == (
        params,
        trainable,
        non_trainable,
    )
    for total in ("params", "trainable_params", "non_trainable_params", "macs"):
        assert sum(layer[total] for layer in found["layers"]) == found[total]


def test_a_file_with_an_architecture_is_costed(light: Tinysearch, tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(CONV.architecture.to_dict()))
    done = light("cost", "mine.json", "--format", "json")
    assert json.loads(done.stdout)["params"] == 8_640


def test_a_candidate_of_the_store_is_costed_by_the_beginning_of_its_key(
    light: Tinysearch, tmp_path: Path, make_record: Callable[..., Record]
) -> None:
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        store.append(make_record("abc123", params=1_234))
    done = light("cost", "abc", "--format", "json")
    assert json.loads(done.stdout)["params"] == 1_234


def test_the_table_has_the_totals(light: Tinysearch) -> None:
    done = light("cost", "baseline:conv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "8,640" in done.stdout
    assert "8,580" in done.stdout
    assert "\x1b" not in done.stdout


def test_a_documented_model_needs_no_store(light: Tinysearch, tmp_path: Path) -> None:
    for name in BASELINES:
        assert light("cost", f"baseline:{name}").returncode == 0
    assert list(tmp_path.iterdir()) == []
