"""Layout of help texts: options by heading, whole sentences, nothing cut.

Help is plain text from the formatter that Typer uses without Rich: the same in a pipe and in any encoding.
"""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand, TyperGroup

from tinysearch.cli.panels import ADVANCED, COMMON, PANELS

# Width in columns, if the terminal is that wide.
WIDTH = 100
HELP_ALL = "--help-all"
# Up to this number of options are listed without headings.
FEW = 16
_OTHERS = "Options"
# Largest width of the column with the names of options.
_NAMES = 26

Rows = list[tuple[str, str]]


class Command(TyperCommand):
    """A command whose options are listed under their headings.

    Its ``--resume`` may have a value, as in ``--resume=auto``, or none.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        given = list(args[: args.index("--")] if "--" in args else args)
        if HELP_ALL in given and self.has_advanced(ctx):
            ctx.meta[HELP_ALL] = True
            args = ["--help"]
        try:
            return super().parse_args(ctx, ["--resume=" if one == "--resume" else one for one in args])
        except Exception as error:
            # Typer's own errors, whose classes have no public names.
            message = getattr(error, "message", None)
            if isinstance(message, str):
                error.message = _in_plain_words(message)  # type: ignore[attr-defined]
            raise

    def has_advanced(self, ctx: Any) -> bool:
        """Whether the command has options that ``--help`` only names."""
        return ADVANCED in self.panels(ctx)

    def panels(self, ctx: Any) -> dict[str, list[Any]]:
        """Return the visible options by heading, in the order of the headings; a few options share one heading."""
        found: dict[str, list[Any]] = {name: [] for name in (*PANELS, _OTHERS)}
        for param in self.get_params(ctx):
            if param.param_type_name == "option" and param.get_help_record(ctx) is not None:
                found[_panel(param)].append(param)
        listed = [param for params in found.values() for param in params]
        if len(listed) <= FEW:
            return {_OTHERS: [param for param in self.get_params(ctx) if param in listed]}
        found[COMMON] += found.pop(_OTHERS)
        return {name: params for name, params in found.items() if params}

    def format_help_text(self, ctx: Any, formatter: Any) -> None:
        """Write the description of the command; with advanced options, only its first paragraph and the example."""
        paragraphs = (self.help or "").strip().split("\n\n")
        if self.has_advanced(ctx) and HELP_ALL not in ctx.meta:
            paragraphs = [paragraphs[0], *(one for one in paragraphs[1:] if one.startswith("Example:"))]
        formatter.write_paragraph()
        with formatter.indentation():
            formatter.write_text("\n\n".join(paragraphs))

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write arguments and options."""
        arguments = [param for param in self.get_params(ctx) if param.param_type_name == "argument"]
        _write(formatter, "Arguments", [record for one in arguments if (record := one.get_help_record(ctx))])
        for name, params in self.panels(ctx).items():
            if name == ADVANCED and HELP_ALL not in ctx.meta:
                with formatter.section(f"{name} ({HELP_ALL} and docs/commands.md explain them)"):
                    formatter.write_text(", ".join(param.opts[0] for param in params))
            else:
                rows = [param.get_help_record(ctx) for param in params]
                # The same columns below all headings.
                _write(formatter, name, [(f"{row[0]:<{_NAMES}}", row[1]) for row in rows])


class Commands(TyperGroup):
    """The application; its help lists each command with its first sentence."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of commands."""
        rows = [(name, sentence(self.commands[name].help or "")) for name in self.list_commands(ctx)]
        _write(formatter, "Commands", rows)


def _in_plain_words(message: str) -> str:
    """Return an error message of Typer without the name of an exception, and with a remedy for extra arguments."""
    if message.startswith("Got unexpected extra argument"):
        message += "; separate the items of a list by commas, as in 1000,3000, and quote what contains spaces"
    return message.replace("Value error, ", "")


def sentence(text: str) -> str:
    r"""Return the first sentence of a text.

    >>> sentence("Rank all. Results of\ndifferent datasets ...")
    'Rank all.'
    """
    first = " ".join(text.split("\n\n")[0].split())
    return first.partition(". ")[0].removesuffix(".") + "."


def _panel(param: Any) -> str:
    panel = getattr(param, "rich_help_panel", None)
    return panel if panel in PANELS else _OTHERS


def _write(formatter: Any, title: str, rows: Rows) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows, col_max=_NAMES)
