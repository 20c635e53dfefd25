from __future__ import annotations

import json
import subprocess
from collections.abc import Callable

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
