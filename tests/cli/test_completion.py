from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, make_record: Callable[..., Record]) -> Path:
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        for run in ("first", "second"):
            store.create_run(run, "toy", "0123456789abcdef", {"trials": 2})
        store.append(make_record("aaaaaaaaaaaa", run="first", val_accuracy=0.5))
        store.append(make_record("abbbbbbbbbbb", run="second", val_accuracy=0.9))
    return path


@pytest.fixture
def offered(light: Tinysearch) -> Callable[[str], list[str]]:
    """Return what says which words Bash would be offered after others."""

    def ask(line: str, shell: str = "bash") -> list[str]:
        words = line.split(" ")
        given = {"COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TINYSEARCH_COMPLETE": f"complete_{shell}"}
        done = light(**given)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.split()

    return ask


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("tinysearch le", ["leaderboard"]),
        ("tinysearch run --max-", ["--max-macs", "--max-ram", "--max-memory", "--max-flash"]),
        ("tinysearch watch ", ["second", "first"]),
        ("tinysearch report first s", ["second"]),
        ("tinysearch dashboard f", ["first"]),
        ("tinysearch evaluate sec", ["second"]),
        ("tinysearch export ", ["second", "first"]),
        ("tinysearch run --learn-from f", ["first"]),
        ("tinysearch show a", ["abbbbbbbbbbb", "aaaaaaaaaaaa"]),
        ("tinysearch show aaa", ["aaaaaaaaaaaa"]),
        ("tinysearch cost baseline:c", ["baseline:conv"]),
        ("tinysearch reproduce i", ["inception"]),
        ("tinysearch reproduce aa", ["aaaaaaaaaaaa"]),
        ("tinysearch run --strategy bay", ["bayesian"]),
        ("tinysearch run --objective m", ["macro_f1"]),
        ("tinysearch run --schedule a", ["async"]),
        ("tinysearch run --recipe d", ["default", "documented"]),
        ("tinysearch run --dataset f", ["fashion_mnist"]),
        ("tinysearch watch --store none.db ", []),
        ("tinysearch show nothing-begins-so", []),
    ],
)
def test_what_is_offered(offered: Callable[[str], list[str]], line: str, expected: list[str]) -> None:
    assert offered(line) == expected


def test_keys_are_those_of_the_results_that_were_named(offered: Callable[[str], list[str]], tmp_path: Path) -> None:
    reference = offered("tinysearch show --reference c672")
    assert len(reference) == 1
    assert reference[0].startswith("c672")
    (tmp_path / "store.db").rename(tmp_path / "other.db")
    assert offered("tinysearch watch f") == []
    assert offered("tinysearch watch --store other.db f") == ["first"]


def test_nothing_is_said_of_a_damaged_store_while_a_person_types(
    offered: Callable[[str], list[str]], store: Path
) -> None:
    store.write_bytes(b"nonsense" * 100)
    assert offered("tinysearch watch ") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_the_script_for_each_shell_asks_tinysearch(
    launch: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path, shell: str
) -> None:
    # Typer takes the name of a shell instead of finding out which one it runs in.
    done = launch(tmp_path, "--show-completion", shell, _TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION="1")
    assert (done.returncode, done.stderr) == (0, "")
    assert "_TINYSEARCH_COMPLETE" in done.stdout
