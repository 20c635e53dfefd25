"""Help texts of commands from their docstrings, under ``python -OO`` too."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any


def documentation(command: Callable[..., Any]) -> str | None:
    """Return the docstring of a function, read from its source if ``python -OO`` dropped it; None if it has none."""
    if command.__doc__ is not None:
        return inspect.getdoc(command)
    try:
        source = textwrap.dedent(inspect.getsource(command))
    except (OSError, TypeError):
        return None
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef)  # noqa: S101
    return ast.get_docstring(definition)
