"""Make docs/commands.md of the command line: every command with all its options.

::

    python tools/commands.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from tinysearch.cli.app import app

PAGE = Path(__file__).parents[1] / "docs" / "commands.md"
HEAD = """# Commands

What `tinysearch COMMAND --help` says, with the options that are rarely needed (`--help-all`). Made by
`python tools/commands.py`.

A CANDIDATE is the key of a record (or the beginning of one), `baseline:conv`, `baseline:separable`,
`baseline:inception`, or a JSON file with an architecture. Data goes to stdout, progress to stderr. Numbers may be
written 10000, 10_000, 10,000 or 10k (`frontier --budgets '1,000 3,000'`), paths may begin with `~`. Where the encoding
of the output cannot carry a character, it is written in ASCII; files are UTF-8.

`tinysearch --install-completion` has your shell complete commands, options, names of runs and keys of candidates.
"""


def page() -> str:
    """Return the page."""
    group: Any = typer.main.get_command(app)
    parts = [HEAD]
    for name in group.commands:
        command = group.commands[name]
        context = group.make_context("tinysearch", ["--help"], resilient_parsing=True)
        own = type(context)(command, info_name=name, parent=context)
        parts += [f"## {name}\n", f"    {command.get_usage(own).removeprefix('Usage: ')}\n"]
        paragraphs = [" ".join(text.split()) for text in command.help.split("\n\n")]
        parts += [_example(text) for text in paragraphs]
        arguments = [one for one in command.get_params(own) if one.param_type_name == "argument"]
        tables = {"Arguments": arguments, **command.panels(own)} if arguments else command.panels(own)
        for title, params in tables.items():
            parts += [f"| {title.lower()} | |", "| --- | --- |"]
            records = [record for one in params if (record := one.get_help_record(own))]
            parts += [f"| `{_cell(words)}` | {_cell(text)} |" for words, text in records]
            parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _example(text: str) -> str:
    said, is_example, command = text.partition("Example: ")
    return f"Example: `{command}`\n" if is_example and not said else f"{text}\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
