"""A message reads right in Python, where arguments are named as they are typed, and on the command line."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

import tinysearch
from tinysearch.cli.app import app
from tinysearch.cli.reporting import reported
from tinysearch.cli.spelling import spelled
from tinysearch.errors import RunError, TinySearchWarning
from tinysearch.report.dashboard.server import DashboardServer

ROOT = Path(tinysearch.__file__).parent
# What is the command line's alone, and commands of it and of other programs.
ELSEWHERE = (
    "cli/",
    "runtime/devices.py",
    "report/terminal.py",
    "report/commands.py",
    "report/card.py",
    "report/headline.py",
)
TAKERS: tuple[Any, ...] = (
    tinysearch.run,
    tinysearch.Study.run,
    tinysearch.frontier,
    tinysearch.evaluate,
    tinysearch.Result.deploy,
    tinysearch.reproduce,
    tinysearch.executors.Ray,
    DashboardServer,
)


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text of the package that is no docstring, with the module that it is in; {} stands for values."""
    for path in sorted(ROOT.rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        parts = {id(one) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for one in node.values}
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield where, "".join(str(one.value) if isinstance(one, ast.Constant) else "{}" for one in node.values)
            elif (
                isinstance(node, ast.Constant) and isinstance(node.value, str) and not {id(node)} & (docstrings | parts)
            ):
                yield where, node.value


def options() -> set[str]:
    group: Any = typer.main.get_command(app)
    found = {
        name for one in group.commands.values() for each in one.params for name in (*each.opts, *each.secondary_opts)
    }
    return {name for name in found if name.startswith("--")}


@pytest.fixture(scope="module")
def messages() -> list[tuple[str, str]]:
    return [(where, text) for where, text in texts() if not where.startswith(ELSEWHERE)]


def test_no_message_but_those_of_the_command_line_names_an_option(messages: list[tuple[str, str]]) -> None:
    known = options()
    assert "--name" in known
    found = []
    for where, text in messages:
        # A whole command is one to type in a terminal; a list of words is made of options alone.
        said = re.sub(r"'tinysearch [^']*'|`ray [^`]*`", "", text)
        found += [(where, one) for one in re.findall(r"--[a-z][\w-]*", said) if one in known and one != text.strip()]
    assert found == []


def test_each_argument_that_a_message_names_is_one_and_has_its_option(messages: list[tuple[str, str]]) -> None:
    named = {
        (name, spelled(f"`{name}=`"))
        for _, text in messages
        for name in re.findall(r"`(?:reading=Reading\()?(\w+)=(?!Reading)", text)
    }
    taken = {name for one in TAKERS for name in inspect.signature(one).parameters}
    taken |= {one.name for one in dataclasses.fields(tinysearch.Reading)}
    assert len(named) > 20
    assert {name for name, _ in named} - taken == set()
    assert {option for _, option in named} - options() == set()


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("`x={[1]: 2}` is not one of ours", "`x={[1]: 2}` is not one of ours"),
        ("leave out `cold=True`, or `warm_start=`", "leave out --cold, or --learn-from"),
        ("give another `folder=`", "give another --output"),
        ("give `reading=Reading(size=...)`", "give --size"),
        ("give `reading=Reading(groups='^(p.)_')`", "give --groups '^(p.)_'"),
        ("start it with `ray start --head`", "start it with `ray start --head`"),
        (
            "the file `a=b c` is damaged, and `x=__import__('os')` too",
            "the file `a=b c` is damaged, and `x=__import__('os')` too",
        ),
    ],
)
def test_arguments_are_spelled_as_options_and_all_else_stays(message: str, words: str) -> None:
    assert spelled(message) == words


def test_errors_and_notes_are_spelled(capsys: pytest.CaptureFixture[str]) -> None:
    @reported
    def command() -> None:
        warnings.warn("give a larger `lag=`", TinySearchWarning, stacklevel=1)
        raise RunError("give another `name=`")

    with pytest.raises(typer.Exit):
        command()
    assert capsys.readouterr().err == "note: give a larger --lag\nerror: give another --name\n"
