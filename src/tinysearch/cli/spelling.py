"""Messages as a person at the command line reads them: arguments of the Python API as the options they are here.

A message names an argument in backquotes as it is typed in Python: "give another `name=`", "leave out `cold=True`".
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

_ARGUMENT = re.compile(r"`(\w+=[^`]*)`")
# What is called otherwise here; else it is the name with hyphens.
_CALLED = {
    "warm_start": "learn-from",
    "constraints": "constraint",
    "callbacks": "callback",
    "address": "cluster",
    "folder": "output",
}


def spelled(message: str) -> str:
    """Return a message with options in the place of arguments.

    >>> spelled("continue it with `resume=True`, or give another `name=`")
    'continue it with --resume, or give another --name'
    >>> spelled("`reading=Reading(size=(8, 8), layout='hw')`, `objective='macro_f1'`, `prune=False` or `max_ram=`")
    '--size 8x8 --layout hw, --objective macro_f1, --no-prune or --max-ram'
    """
    return _ARGUMENT.sub(_options, message)


def _options(argument: re.Match[str]) -> str:
    given = argument[1]
    try:
        call = ast.parse(f"_({given}{'...' if given.endswith('=') else ''})", mode="eval").body
        return " ".join(_typed(call))
    except (SyntaxError, ValueError, TypeError, MemoryError, RecursionError):
        # Not of a message, but of what it quotes.
        return argument[0]


def _typed(call: ast.expr) -> Iterator[str]:
    """Yield the options that the arguments of a call are; those of a call among them stand for themselves.

    Raises:
        ValueError: if one is no literal.
    """
    for one in call.keywords if isinstance(call, ast.Call) else ():
        if isinstance(one.value, ast.Call) and one.value.keywords:
            yield from _typed(one.value)
            continue
        name = _CALLED.get(one.arg or "", (one.arg or "").replace("_", "-"))
        value = ast.literal_eval(one.value)
        if value is True or value is ...:
            yield f"--{name}"
        elif value is False:
            yield f"--no-{name}"
        else:
            text = "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
            yield f"--{name} {shlex.quote(text)}"
