"""Files of custom search spaces: a JSON object, see ``space_spec`` for its keys and values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tinysearch.errors import SpaceError
from tinysearch.space.space_spec import SIZES, Spec, current, has_old_ranges

_WIDTH = 100


def read_spec(path: Path) -> dict[str, Any]:
    """Read the file of a custom search space.

    Raises:
        SpaceError: if it cannot be read, or its content is not an object of legal choices.
    """
    try:
        spec = json.loads(path.read_text(encoding="utf-8-sig"), object_pairs_hook=_object)
    except OSError as error:
        raise SpaceError(f"the space {path} cannot be read ({error.strerror}); give a JSON file") from None
    except (ValueError, RecursionError) as error:
        raise SpaceError(f"the space {path} is not a JSON file: {error}") from None
    if not isinstance(spec, dict):
        raise SpaceError(f"the space {path} holds {type(spec).__name__}; expected an object of choices")
    current(spec)
    return spec


def format_note(spec: Spec, name: str) -> str:
    """Return a note about a space without a ``"format"``: how it is read, and its equivalent in format 2.

    Args:
        spec: The space.
        name: Name of the space in the note.
    """
    ranges = [f"{one} {list(spec[one])}" for one in SIZES if has_old_ranges({one: spec.get(one)})]
    read = f" and is read as before, {', '.join(ranges)} as a range" if ranges else ""
    return f'{name} has no "format": 2{read}; in format 2, where a list holds options, write\n{_written(spec)}'


def _written(spec: Spec) -> str:
    new = current(spec)
    line = json.dumps(new)
    if len(line) <= _WIDTH:
        return line
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in new.items()) + "\n}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the name {key!r} occurs twice")
        found[key] = value
    return found
