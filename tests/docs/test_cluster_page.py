"""What docs/cluster.md shows: its example runs, and its commands and options exist."""

from __future__ import annotations

import inspect
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tinysearch
from tinysearch.workers.ray.executor import RayExecutor

PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def test_the_arguments_in_the_table_are_those_of_the_executor(page: str) -> None:
    table = page.split("| argument |")[1].split("\n\n")[0]
    named = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    assert named == {"address", "workers", "cpus", "gpus", "slots", "runtime_env"}
    assert named <= set(inspect.signature(RayExecutor).parameters)


def test_the_options_of_its_commands_exist(page: str, tinysearch: Callable[..., Any]) -> None:
    commands = re.findall(r"tinysearch (run --budget [^`\n]*)", page.replace("\\\n", " "))
    assert len(commands) >= 5
    known = tinysearch("run", "--help", COLUMNS="200").stdout
    for command in commands:
        options = [word.split("=")[0] for word in shlex.split(command) if word.startswith("--")]
        assert [option for option in options if option not in known] == []


def test_its_executor_for_the_command_line_gives_a_share_of_a_gpu(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"^```py\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    given: list[Any] = []
    monkeypatch.setattr(RayExecutor, "__init__", lambda self, *words, **options: given.append((words, options)))
    names: dict[str, Any] = {"__name__": "mine"}
    exec(code, names)  # noqa: S102
    names["OnGpus"](workers=8)
    assert given == [(("auto", 8), {"gpus": 0.125})]
    assert "--executor mine:OnGpus" in page


@pytest.mark.cluster
def test_its_example_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    # What is trained is not the matter here.
    monkeypatch.setitem(RayExecutor.__init__.__kwdefaults__, "trainer", "gated:train")
    names: dict[str, Any] = {
        "x": np.random.default_rng(0).integers(0, 255, (60, 16, 16), dtype=np.uint8),
        "y": np.arange(60) % 2,
    }
    exec(code, names)  # noqa: S102
    assert isinstance(names["study"], tinysearch.Study)
    assert len([one for one in names["study"].records if (one.origin, one.purpose) == ("search", "search")]) == 2
    names["study"].close()
