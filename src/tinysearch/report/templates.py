"""The files that pages are made of: templates, a style sheet, a script."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "page"


def rendered(template: str, **values: Any) -> str:
    """Return a page, or a part of one, by the name of its template."""
    text: str = _environment().get_template(template).render(**values)
    return text


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def part(name: str) -> str:
    """Return a file that pages are made of: a style sheet or a script."""
    return (_FOLDER / name).read_text(encoding="utf-8")
