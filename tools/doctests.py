"""Griffe extension that shows the examples in docstrings as code on the site; Griffe reads docstrings for MkDocs."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

# Lines of an example and of its output, up to the next empty line.
_EXAMPLE = re.compile(r"^( *)>>> .*(?:\n(?! *$).+)*", re.MULTILINE)


class Doctests(Extension):
    """Extension that puts fences around examples, which Markdown would otherwise render as quotations."""

    def on_object(self, *, obj: Object, **given: Any) -> None:
        """Change the docstring of a module, class, function or attribute."""
        if obj.docstring is not None:
            obj.docstring.value = _EXAMPLE.sub(_fenced, obj.docstring.value)


def _fenced(found: re.Match[str]) -> str:
    indent = found[1]
    code = re.sub(r" +# doctest:.*", "", found[0])
    return f"{indent}```pycon\n{code}\n{indent}```"
