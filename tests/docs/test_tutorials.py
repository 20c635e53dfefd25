"""Each tutorial from its first block to its last, as a person goes through it, with shorter searches."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from without_extras import hidden

from tinysearch.results.store import Store

DOCS = Path(__file__).parents[2] / "docs"
TUTORIALS = sorted(path.stem for path in (DOCS / "tutorials").glob("*.md"))
SHORTER = ["--trials", 2, "--epochs", 1, "--folds", 1, "--evaluate", 0, "--no-baselines"]
# Where a page has a candidate's key for the reader to fill in.
KEY = "KEY"
# Commands of docs/index.md that a test elsewhere runs.
ELSEWHERE = {
    "pip install .": ".ci/run",
    "tinysearch run --budget 10000": ".ci/run, and tests/cli/test_run.py",
    "tinysearch dashboard --open": "tests/cli/test_dashboard.py",
}
Call = Callable[..., subprocess.CompletedProcess[str]]


def blocks(page: str) -> list[tuple[str, str]]:
    text = (DOCS / page).read_text(encoding="utf-8")
    return re.findall(r"^```(python|console|sh)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(block: str) -> list[list[str]]:
    """Return the commands of a block of a console; a line without a prompt would be what one of them says."""
    lines = block.splitlines()
    assert all(line.startswith("$ tinysearch ") for line in lines), block
    return [shlex.split(line.removeprefix("$ tinysearch ")) for line in lines]


def run_python(code: str, folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env=hidden(folder / "hidden"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.usefixtures("trained_here")
@pytest.mark.parametrize("name", TUTORIALS)
def test_a_tutorial_works_from_its_first_block_to_its_last(
    name: str, tmp_path: Path, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    found = blocks(f"tutorials/{name}.md")
    assert len(found) >= 2
    for kind, block in found:
        if kind == "python":
            if "class Climbing" in block:
                (tmp_path / "climbing.py").write_text(block, encoding="utf-8")
            run_python(block, tmp_path)
            continue
        for words in commands(block):
            if KEY in words:
                with Store(tmp_path / "store.db") as store:
                    words[words.index(KEY)] = store.records()[0].key[:8]
            done = call(tmp_path, *words, *(SHORTER if words[0] == "run" else []))
            assert done.returncode == 0, done.stderr
            files = [words[place + 1] for place, word in enumerate(words) if word in ("-o", "--preview")]
            assert all((tmp_path / file).exists() for file in files)


def test_there_is_a_tutorial_for_each_kind_of_reader() -> None:
    assert set(TUTORIALS) >= {"pictures", "series", "device", "strategy"}


def test_the_commands_of_the_first_page_work(tmp_path: Path, call: Call) -> None:
    lines = [line for kind, block in blocks("index.md") if kind == "sh" for line in block.splitlines()]
    assert set(ELSEWHERE) <= set(lines)
    with Store(tmp_path / "store.db", create=True):
        pass
    for line in lines:
        if line not in ELSEWHERE:
            done = call(tmp_path, *shlex.split(line.removeprefix("tinysearch ")))
            assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_program_of_the_first_page_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINYSEARCH_STORE", str(tmp_path / "store.db"))
    ((_, code),) = [one for one in blocks("index.md") if one[0] == "python"]
    shorter = code.replace("trials=3, epochs=2", "trials=1, epochs=1, folds=1, evaluate=0, baselines=False, workers=1")
    assert shorter != code
    run_python(shorter, tmp_path)
