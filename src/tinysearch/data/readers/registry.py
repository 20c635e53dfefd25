"""Which reader reads what: those of tinysearch, and those of others."""

from __future__ import annotations

import functools
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from tinysearch.data.readers.archives import Npy, Npz
from tinysearch.data.readers.folders import SUFFIXES, Folder
from tinysearch.data.readers.memory import Arrays
from tinysearch.data.readers.reader import Reader
from tinysearch.data.readers.tables import Table
from tinysearch.errors import DatasetError

# Distributions name their own readers under this group of entry points.
GROUP = "tinysearch.readers"
_OWN: tuple[Reader, ...] = (Npz(), Table(), Npy(), Folder(), Arrays())
_registered: dict[str, Reader] = {}


def register(reader: Reader) -> Reader:
    """Have a reader of one's own asked before those of tinysearch; one of the same name takes its place."""
    if not isinstance(reader, Reader):
        raise DatasetError(f"a reader is an instance of a subclass of Reader, got {reader!r}")
    _registered[reader.name] = reader
    return reader


def unregister(name: str) -> None:
    """Forget a reader of one's own."""
    _registered.pop(name, None)


def readers() -> tuple[Reader, ...]:
    """Return all readers, in the order in which they are asked."""
    return (*reversed(_registered.values()), *_installed(), *_OWN)


def reader_for(source: Any) -> Reader:
    """Return the first reader that accepts a source.

    Raises:
        DatasetError: if none does, or there is no such file.
    """
    if isinstance(source, Path):
        try:
            there = source.exists()
        except OSError as error:
            raise DatasetError(f"{source} cannot be read ({error.strerror})") from None
        if not there:
            raise DatasetError(
                f"there is no file {source}; expected an .npz file with x_train and y_train, a .csv file with a column "
                f"'label', or a folder with one folder of pictures for each class"
            )
    try:
        found = next((reader for reader in readers() if reader.accepts(source)), None)
    except OSError as error:
        raise DatasetError(f"{source} cannot be read ({error.strerror})") from None
    if found is not None:
        return found
    if isinstance(source, Path) and source.is_dir():
        loose = sum(one.suffix.lower() in SUFFIXES for one in source.iterdir())
        raise DatasetError(
            f"{source} has no folders in it{f', but {loose:,} pictures' if loose else ''}; expected one folder of "
            f"pictures for each class, a train.csv, or .npy files x_train and y_train"
        )
    what = source if isinstance(source, Path) else f"a {type(source).__name__}"
    raise DatasetError(
        f"nothing reads {what}; data is the name of a dataset, an .npz, .npy, .csv or .tsv file, a folder of pictures, "
        f"or in Python (x, y), ((x, y), (x_test, y_test)), (train, validation, test) or a tf.data.Dataset"
    )


@functools.cache
def _installed() -> tuple[Reader, ...]:
    found = []
    for point in entry_points(group=GROUP):
        made = point.load()
        found.append(made() if isinstance(made, type) else made)
    return tuple(found)
