from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


def test_json_has_size_smallest_share_and_samples_within_the_budget(light: Tinysearch) -> None:
    done = light("space", "--budget", 5_000, "--samples", 3, "--format", "json")
    found = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert found["budget"] == 5_000
    assert int(found["size"]) == SearchSpace().size()
    assert found["smallest_params"] == SearchSpace().smallest().params
    assert 0 < found["share_within_budget"] < 1
    assert len(found["samples"]) == 3
    for sample in found["samples"]:
        architecture = Architecture.from_dict(sample["architecture"])
        assert architecture in SearchSpace()
        assert cost(architecture, Task()).params == sample["params"] < 5_000


def test_the_seed_decides_the_samples(light: Tinysearch) -> None:
    zero, again, one = (light("space", "--seed", seed, "--format", "json").stdout for seed in (0, 0, 1))
    assert zero == again != one


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_table_fits_the_columns(light: Tinysearch, columns: str) -> None:
    done = light("space", COLUMNS=columns)
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    assert "10,000" in done.stdout


def test_a_wider_budget_lets_more_in(light: Tinysearch) -> None:
    small, large = (
        json.loads(light("space", "--budget", budget, "--format", "json").stdout)["share_within_budget"]
        for budget in (1_000, 100_000)
    )
    assert small < large


OLD = {"depth": [1, 2], "filters": [8, 32, 16], "kinds": ["conv"]}


def test_a_file_without_a_format_is_read_as_before_with_a_note_that_shows_the_new_form(
    light: Tinysearch, tmp_path: Path
) -> None:
    (tmp_path / "old.json").write_text(json.dumps(OLD))
    old = light("space", "--space", tmp_path / "old.json", "--format", "json")
    assert old.returncode == 0
    assert old.stderr.startswith(f"note: {tmp_path / 'old.json'} has no")
    (tmp_path / "new.json").write_text(old.stderr.partition("\n")[2])
    new = light("space", "--space", tmp_path / "new.json", "--format", "json")
    assert (new.returncode, new.stderr) == (0, "")
    assert json.loads(new.stdout) == json.loads(old.stdout)
    assert json.loads(new.stdout)["choices"]["blocks/*/conv/filters"] == "8 to 32"


def test_a_list_is_options_in_a_file_of_the_new_format(light: Tinysearch, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text(json.dumps({**OLD, "format": 2, "depth": {"from": 2, "to": 6, "step": 2}}))
    done = light("space", "--space", path, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    choices = json.loads(done.stdout)["choices"]
    assert (choices["blocks/*/conv/filters"], choices["blocks/length"]) == ("8, 16, 32", "2 to 6 in steps of 2")
