"""Exit codes and error messages of the command line: one paragraph, with a traceback only on request."""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import textwrap
import traceback
import warnings
from collections.abc import Callable, Iterator
from typing import Any, ParamSpec, TextIO

import typer

from tinysearch.cli.spelling import spelled
from tinysearch.errors import InputError, TinySearchError, TinySearchWarning
from tinysearch.runtime.rich import Console, Text

P = ParamSpec("P")

DEFAULT_WIDTH = 120
EXIT_FAILURE = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130
# Ended by a signal: this plus the number of the signal.
EXIT_SIGNAL = 128


class Debug:
    """Whether errors show their traceback; set by ``tinysearch --debug``."""

    wanted = False


def stdout() -> Console:
    """Return the console for data. Without a terminal its width is ``$COLUMNS``, or 120 if that is not set."""
    return _console(sys.stdout.isatty(), sys.stdout)


def stderr() -> Console:
    """Return the console for progress, notes and errors."""
    return _console(True, _own_stderr()) if sys.stderr.isatty() else _console(False, sys.stderr)


def reported(command: Callable[P, None]) -> Callable[P, None]:
    """Turn errors of a command into one paragraph on stderr and an exit code."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            with _notes():
                command(*args, **kwargs)
        except typer.Exit:
            raise
        except KeyboardInterrupt:
            _say("interrupted")
            raise typer.Exit(EXIT_INTERRUPTED) from None
        except BrokenPipeError:
            # The reader of our output has closed it, as in `tinysearch leaderboard | head`.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except TinySearchError as error:
            if Debug.wanted:
                traceback.print_exc()
            _say(f"error: {spelled(str(error))}")
            raise typer.Exit(EXIT_USAGE if isinstance(error, InputError) else EXIT_FAILURE) from None
        except Exception as error:
            if Debug.wanted:
                traceback.print_exc()
            _say(
                f"error: {type(error).__name__}: {error}. This error is unexpected; "
                f"'tinysearch --debug ...' shows where it happened"
            )
            raise typer.Exit(EXIT_FAILURE) from None

    return wrapped


@contextlib.contextmanager
def _notes() -> Iterator[None]:
    """Print warnings of tinysearch as notes, each once; warnings of other packages are unchanged."""
    said: set[str] = set()
    with warnings.catch_warnings():
        warnings.simplefilter("always", TinySearchWarning)
        others = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
            if not issubclass(category, TinySearchWarning):
                others(message, category, *where, **more)
            elif str(message) not in said:
                said.add(str(message))
                _say(f"note: {spelled(str(message))}", style="bold yellow")

        warnings.showwarning = show
        yield


def _say(text: str, style: str = "") -> None:
    """Print a paragraph: wrapped between words on a terminal, else on one line. No word is cut."""
    console = stderr()
    if console.is_terminal:
        text = textwrap.fill(text, console.width, break_long_words=False, break_on_hyphens=False)
    console.print(Text(text, style=style), soft_wrap=True)


@functools.cache
def _own_stderr() -> TextIO:
    """Return the terminal under a file descriptor of our own.

    The display continues on it while ``quiet`` suppresses messages of libraries on the usual one.
    """
    return os.fdopen(os.dup(sys.stderr.fileno()), "w", encoding=sys.stderr.encoding, errors=sys.stderr.errors)


def _console(terminal: bool, file: TextIO) -> Console:
    columns = os.environ.get("COLUMNS", "")
    given = int(columns) if columns.isdecimal() else 0
    width = given or (None if terminal else DEFAULT_WIDTH)
    # Texts contain names that users chose, which may look like markup.
    return _Console(file=file, width=width, highlight=False, markup=False, emoji=False)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Raise an error for ``reported`` to handle; Rich itself would exit with 1."""
        raise BrokenPipeError
