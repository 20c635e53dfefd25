"""Access to the files of the HTML pages: templates, a style sheet, scripts."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from jinja2 import Environment

_FOLDER = Path(__file__).parent / "page"


def rendered(template: str, **values: Any) -> str:
    """Render a template by name."""
    text: str = _environment().get_template(template).render(**values)
    return text


@functools.cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader

    return Environment(loader=FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True)


def part(name: str) -> str:
    """Return the text of a style sheet or a script by name."""
    return (_FOLDER / name).read_text(encoding="utf-8")
