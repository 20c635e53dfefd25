"""The application: its commands and its global options."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from tinysearch.cli.archives import export, import_
from tinysearch.cli.dashboard import dashboard
from tinysearch.cli.data import data
from tinysearch.cli.deploy import deploy
from tinysearch.cli.documentation import documentation
from tinysearch.cli.encoding import survive_any_encoding
from tinysearch.cli.evaluate import evaluate
from tinysearch.cli.frontier import frontier
from tinysearch.cli.help import WIDTH, Command, Commands
from tinysearch.cli.inspect import cost, show, space
from tinysearch.cli.leaderboard import leaderboard
from tinysearch.cli.report import report
from tinysearch.cli.reporting import Debug
from tinysearch.cli.reproduce import reproduce
from tinysearch.cli.run import run
from tinysearch.cli.watch import watch

app = typer.Typer(
    name="tinysearch",
    help="Neural architecture search under a parameter budget.\n\nExample: tinysearch run --budget 10000",
    no_args_is_help=True,
    cls=Commands,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDTH},
)


COMMANDS = (
    *(run, frontier, evaluate, reproduce, leaderboard, show, data, cost, space, report, dashboard, watch, deploy),
    *(export, import_),
)
for command in COMMANDS:
    app.command(command.__name__.strip("_"), help=documentation(command), cls=Command)(command)


def _version(wanted: bool) -> None:
    if wanted:
        from tinysearch.runtime.versions import version_of

        typer.echo(f"tinysearch {version_of('tinysearch')}")
        raise typer.Exit


@app.callback()
def options(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of errors.")] = False,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Neural architecture search under a parameter budget."""
    Debug.wanted = debug


def main() -> None:
    """Run the command line."""
    survive_any_encoding()
    sys.exit(app())
