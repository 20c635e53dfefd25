"""Choice of the reader for a source, among the readers of tinysearch and of other distributions."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

from tinysearch.data.readers.archives import Npy, Npz
from tinysearch.data.readers.folders import SUFFIXES, Folder
from tinysearch.data.readers.memory import Arrays
from tinysearch.data.readers.reader import Reader
from tinysearch.data.readers.tables import Table
from tinysearch.errors import DatasetError
from tinysearch.runtime.plugins import find, made, name_of, names

_OWN: tuple[Reader, ...] = (Npz(), Table(), Npy(), Folder(), Arrays())


def reader_for(source: Any, own: Any = None) -> Reader:
    """Return the first reader that accepts a source; other distributions' readers are tried before tinysearch's.

    Args:
        source: A path, or any value from Python.
        own: See ``Reading.reader``; if it is given, no other reader is tried.

    Raises:
        DatasetError: if no reader accepts the source, or the file does not exist.
        PluginError: if a custom reader cannot be used.
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
        asked = _installed() + _OWN if own is None else (_made(own),)
        found = next((reader for reader in asked if reader.accepts(source)), None)
    except OSError as error:
        raise DatasetError(f"{source} cannot be read ({error.strerror})") from None
    if found is not None:
        return found
    if own is not None:
        raise DatasetError(f"the reader {own if isinstance(own, str) else name_of(own)} does not accept {source}")
    if isinstance(source, Path) and source.is_dir():
        count = sum(one.suffix.lower() in SUFFIXES for one in source.iterdir())
        loose = f", but {count:,} picture{'' if count == 1 else 's'}" if count else ""
        raise DatasetError(
            f"{source} has no folders in it{loose}; expected one folder of pictures for each class, a train.csv, or "
            f".npy files x_train and y_train"
        )
    what = source if isinstance(source, Path) else f"a {type(source).__name__}"
    raise DatasetError(
        f"no reader accepts {what}; data is the name of a dataset, an .npz, .npy, .csv or .tsv file, a folder of "
        f"pictures, or in Python (x, y), ((x, y), (x_test, y_test)), (train, validation, test) or a tf.data.Dataset"
    )


def _made(own: Any) -> Reader:
    given = find("reader", own) if isinstance(own, str) else own
    reader: Reader = made("reader", given, Reader)
    return reader


@functools.cache
def _installed() -> tuple[Reader, ...]:
    return tuple(_made(name) for name in names("reader"))
