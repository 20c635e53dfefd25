from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from importlib import metadata

import pytest

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]
COMMANDS = ("run", "frontier", "evaluate", "reproduce", "leaderboard", "show", "cost", "space", "report", "watch")
COMMANDS += ("export", "import", "data", "dashboard", "deploy")


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


@pytest.mark.parametrize("columns", [80, 120])
def test_the_list_of_commands_has_whole_sentences(light: Tinysearch, columns: int) -> None:
    listed = light("--help", COLUMNS=str(columns)).stdout.split("Commands:")[1]
    assert "..." not in listed
    sentences = re.split(r"^  \w+ +", listed.strip("\n"), flags=re.MULTILINE)[1:]
    assert len(sentences) == len(COMMANDS)
    assert all(one.strip().endswith(".") for one in sentences)


def test_the_help_of_a_run_is_a_screen_by_groups(light: Tinysearch) -> None:
    done = light("run", "--help", COLUMNS="100")
    lines = done.stdout.splitlines()
    assert len(lines) <= 45
    assert max(map(len, lines)) <= 100
    groups = [line.split(":")[0].split(" (")[0] for line in lines if line and line[0] != " "][1:]
    assert groups == ["Common", "Search", "Training", "Resources", "Data", "Advanced"]
    # Each option on one line.
    assert all(line.startswith("  -") for line in lines[6:-4] if line.startswith(" "))


@pytest.mark.parametrize("command", ["run", "frontier"])
def test_what_help_only_names_is_explained_by_help_all(light: Tinysearch, command: str) -> None:
    short, long = light(command, "--help").stdout, light(command, "--help-all").stdout
    named = re.findall(r"--[\w-]+", short.partition("Advanced (")[2].partition("):")[2])
    assert "--lag" in named
    explained = long.partition("Advanced:")[2]
    assert all(re.search(rf"^  {name}\b", explained, re.MULTILINE) for name in named)
    assert light("cost", "--help-all").returncode == 2
