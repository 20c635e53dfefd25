"""Messages for the command line: arguments of the Python API are replaced by options.

A message names an argument in backquotes as it is typed in Python: "give another `name=`", "leave out `cold=True`".
"""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator

_ARGUMENT = re.compile(r"`(\w+=[^`]*)`")
# Arguments whose options have another name; all other options have the name of the argument, with hyphens.
_CALLED = {
    "warm_start": "learn-from",
    "constraints": "constraint",
    "callbacks": "callback",
    "address": "cluster",
    "folder": "output",
}


def spelled(message: str) -> str:
    """Return a message with options in place of arguments.

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
        # Not an argument, but part of a text that the message quotes.
        return argument[0]


def _typed(call: ast.expr) -> Iterator[str]:
    """Yield the options for the arguments of a call; an argument that is a call is replaced by its own arguments.

    Raises:
        ValueError: if the value of an argument is not a literal.
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
