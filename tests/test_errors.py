from __future__ import annotations

import inspect
import re

import pytest

from tinysearch import errors

CLASSES = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, errors.TinySearchError)]


def drawn() -> dict[str, str | None]:
    """Return the parent of each class in the tree of the module's docstring."""
    parents: dict[str, str | None] = {}
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"[\s│├└─]*(\w+(?:Error))\b", line)
        if match is None:
            continue
        indent, name = match.start(1), match[1]
        above = [(column, parent) for column, parent in above if column < indent]
        parents[name] = above[-1][1] if above else None
        above.append((indent, name))
    return parents


def test_the_tree_in_the_docstring_has_every_error_and_no_other() -> None:
    assert set(drawn()) == {kind.__name__ for kind in CLASSES}


@pytest.mark.parametrize("kind", CLASSES, ids=lambda kind: kind.__name__)
def test_the_tree_in_the_docstring_shows_what_each_error_is(kind: type[errors.TinySearchError]) -> None:
    parent = drawn()[kind.__name__]
    assert kind.__doc__
    if parent is None:
        assert kind is errors.TinySearchError
    else:
        assert kind.__base__ is not None
        assert kind.__bases__[0].__name__ == parent


def test_every_error_but_the_root_is_either_the_fault_of_the_input_or_of_the_work() -> None:
    for kind in CLASSES:
        if kind is not errors.TinySearchError:
            assert issubclass(kind, errors.InputError) != issubclass(kind, errors.WorkError)
