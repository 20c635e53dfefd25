"""The examples of docs/extending.md, as one file of a user's own, from Python and from the command line."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from without_extras import hidden

import tinysearch

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
LAUNCH = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def blocks() -> list[str]:
    """The Python of the page, block by block; the last one is a whole search."""
    return re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture
def folder(blocks: list[str], tmp_path: Path) -> Path:
    (tmp_path / "my_plugins.py").write_text("\n\n".join(blocks[:-1]), encoding="utf-8")
    return tmp_path


def test_each_example_is_short(blocks: list[str]) -> None:
    lengths = [len([line for line in block.splitlines() if line.strip()]) for block in blocks]
    # The executor has seven methods.
    assert sorted(lengths)[-2] <= 15
    assert len(blocks) == 10


# What is asked of the page's own names once it has run.
ASKED = """
searched = [one.name for one in study.records if one.origin == "search" and one.purpose == "search"]
print(json.dumps([study.settings.strategy, study.settings.constraints, searched]))
"""


@pytest.mark.slow
def test_the_examples_pass_their_contracts_and_search_as_one_script(blocks: list[str], tmp_path: Path) -> None:
    script = tmp_path / "my_plugins.py"
    script.write_text("\n\n".join([*blocks, ASKED]), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, script.name],
        cwd=tmp_path,
        env=hidden(tmp_path / "hidden"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    strategy, constraints, searched = json.loads(done.stdout.splitlines()[-1])
    assert strategy.endswith("Widest")
    assert len(constraints) == 1
    assert constraints[0].endswith("Latency")
    logged = [json.loads(line)["name"] for line in (tmp_path / "trainings.jsonl").read_text().splitlines()]
    assert len(searched) == 2
    assert set(searched) < set(logged)


@pytest.mark.slow
def test_the_examples_are_used_from_the_command_line(
    folder: Path, tiny: Path, launch: LAUNCH, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = PAGE.read_text(encoding="utf-8").split("```sh")[1].split("```")[0].replace("\\\n", " ")
    command, board = re.findall(r"^tinysearch (.*)$", page, re.MULTILINE)
    given = ["--budget", 2_000, "--trials", 2, "--epochs", 1, "--no-baselines", "--folds", 1, "--evaluate", 0]
    done = launch(folder, *shlex.split(command), *given, "--data", tiny, "--name", "mine")
    assert done.returncode == 0, done.stderr
    assert len((folder / "trainings.jsonl").read_text().splitlines()) == 2
    shown = launch(folder, *shlex.split(board))
    assert re.fullmatch(r"\w+: [\d.]+% with [\d,]+ parameters\n", shown.stdout)
    # A run that goes on loads them by the names in its settings.
    more = launch(folder, "run", "--name", "mine", "--resume", "--trials", 3, "--data", tiny)
    assert more.returncode == 0, more.stderr
    monkeypatch.chdir(folder)
    with tinysearch.open("mine", store=folder / "store.db", data=tiny) as study:
        assert study.settings.strategy == "my_plugins:Widest"
        assert study.settings.objective == "my_plugins:WorstClass"
        assert all("my_plugins:WorstClass" in one.metrics for one in study.records)
        assert len([one for one in study.records if one.purpose == "search"]) == 3


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["run", "--strategy", "nonsense"], "strategy is one of bayesian.*or module:Class; got 'nonsense'"),
        (["run", "--strategy", "my_plugins:Nothing"], "my_plugins has no 'Nothing'"),
        (["run", "--strategy", "no_such_module:Any"], "No module named 'no_such_module'"),
        (["run", "--strategy", "missing.py:Any"], "there is no file missing.py"),
        (["run", "--strategy", "my_plugins:Log"], "strategy my_plugins:Log is not a subclass of Strategy"),
        (["run", "--constraint", "my_plugins:Widest"], "constraint my_plugins:Widest is not a subclass of Constraint"),
        (["run", "--callback", "my_plugins:Latency"], "callback my_plugins:Latency is not a subclass of Callback"),
        (["run", "--reader", "my_plugins:Log"], "reader my_plugins:Log is not a subclass of Reader"),
        (
            ["run", "--executor", "my_plugins:Timed", "--stall-limit", "90s"],
            "--stall-limit is not passed to --executor my_plugins:Timed",
        ),
        (["run", "--executor", "elsewhere"], "executor is one of local.*got 'elsewhere'"),
        (
            ["leaderboard", "--reference", "--format", "yaml"],
            "renderer is one of table, html, json, csv, markdown.*got 'yaml'",
        ),
    ],
)
def test_a_plug_in_that_cannot_be_used_is_an_error_before_anything_is_trained(
    words: list[str], expected: str, folder: Path, tiny: Path, call: LAUNCH
) -> None:
    given = ["--trials", 1, "--budget", 2_000, "--data", tiny] if words[0] == "run" else []
    done = call(folder, *words, *given)
    assert done.returncode == 2, done.stderr
    assert re.search(expected, done.stderr)
    assert "Traceback" not in done.stderr
    assert not (folder / "trainings.jsonl").exists()
