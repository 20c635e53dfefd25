from __future__ import annotations

import subprocess
from collections.abc import Callable
from importlib import metadata

import pytest

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("run", "frontier", "evaluate", "reproduce", "leaderboard", "show", "cost", "space", "report", "watch")
COMMANDS += ("export", "import")


def test_help_lists_every_command_and_an_example(light: Tinysearch) -> None:
    done = light("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)
    assert "Example: tinysearch run --budget 10000" in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_every_command_has_an_example(light: Tinysearch, command: str) -> None:
    done = light(command, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"Example: tinysearch {command}" in done.stdout


def test_the_version_is_that_of_the_package(light: Tinysearch) -> None:
    done = light("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"tinysearch {metadata.version('tinysearch')}\n"
