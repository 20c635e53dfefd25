"""The contract of readers, as a test for any reader."""

from __future__ import annotations

import dataclasses
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.data.dataset import Dataset
from tinysearch.data.loading import load
from tinysearch.data.readers.reader import Part, Reader, Reading
from tinysearch.errors import NoTestImagesError
from tinysearch.runtime.plugins import made

# Sources that no reader may accept.
_OTHERS: tuple[Any, ...] = (Path("no such file.of any kind"), object(), None, 3)


def check_reader(reader: Reader | type[Reader], source: Any) -> Dataset:
    """Check that a reader keeps its contract on a source that it must accept, and return the resulting dataset.

    Args:
        reader: An instance or a class.
        source: A source for this reader: a path, or any value in Python.

    Raises:
        AssertionError: if the reader has no valid ``name`` or ``unused``, accepts a source that it cannot read, does
            not accept or changes the given source, returns pixels, labels and groups of different lengths, or returns
            different training data on a second read.
        DatasetError: if the dataset cannot be trained on.
    """
    one: Reader = made("reader", reader, Reader)
    given = Path(source) if isinstance(source, str) else source
    if not isinstance(getattr(one, "name", None), str) or not one.name.strip():
        raise AssertionError(f"a reader must have a name, got {getattr(one, 'name', None)!r}")
    known = {each.name for each in dataclasses.fields(Reading)}
    if isinstance(one.unused, str) or not known.issuperset(one.unused):
        raise AssertionError(
            f"unused must contain names of fields of Reading ({', '.join(sorted(known))}), got {one.unused!r}"
        )
    if one.accepts(given) is not True:
        raise AssertionError(f"accepts() must return True for the source {given!r}, got {one.accepts(given)!r}")
    for other in _OTHERS:
        if one.accepts(other):
            raise AssertionError(f"accepts() must return False for a source that it cannot read: {other!r}")
    before = _content(given)
    contents = [one.read(given, Reading()) for _ in range(2)]
    if _content(given) != before:
        raise AssertionError(f"reading must not change the source, but {given} has changed")
    for found in contents:
        _check_part("train", found.train)
        if found.validation is not None:
            _check_part("validation", found.validation)
        with suppress(NoTestImagesError):
            _check_part("test", found.read_test())
    first, second = (found.train for found in contents)
    if not (np.array_equal(first.pixels, second.pixels) and np.array_equal(first.labels, second.labels)):
        raise AssertionError("reading a source twice must give the same data: training images or labels differ")
    return load("auto", given, reading=Reading(reader=one))


def _content(source: Any) -> str:
    """Return a digest of a file; an empty text for anything else."""
    is_file = isinstance(source, Path) and source.is_file()
    return hashlib.sha256(source.read_bytes()).hexdigest() if is_file else ""


def _check_part(name: str, part: Part) -> None:
    sizes = {"pixels": len(part.pixels), "labels": len(part.labels)}
    if part.groups is not None:
        sizes["groups"] = len(part.groups)
    if len(set(sizes.values())) > 1:
        raise AssertionError(f"pixels, labels and groups of the {name} part must have the same length, got {sizes}")
