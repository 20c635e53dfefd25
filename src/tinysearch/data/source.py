"""Where a dataset was read from, as it was given: kept with a run, so that later commands need not be told again."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tinysearch.data.readers.keras_datasets import KERAS_DATASETS
from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError
from tinysearch.runtime.plugins import name_of

# Datasets that are found by their names.
NAMED = (*KERAS_DATASETS, "digits")


@dataclass(frozen=True, slots=True)
class Source:
    """What finds a dataset again: a name, a path, and how to read it. All three are empty for arrays from Python.

    Args:
        dataset: Name of the dataset; None for a file or folder that may hold any.
        path: The file or folder; absolute, but in archives, which are carried elsewhere, the last part alone.
        reading: What the source does not say itself.
    """

    dataset: str | None = None
    path: str | None = None
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def of(cls, dataset: str, path: Path | None, reading: Reading) -> Source:
        """Return the source of what was given: the name of a dataset, ``"auto"`` for none, or a path."""
        return cls(
            None if dataset == "auto" else dataset,
            None if path is None else str(path.absolute()),
            dataclasses.replace(reading, reader=_reader(reading.reader)),
        )

    @property
    def in_memory(self) -> bool:
        """Whether the data were arrays from Python, which cannot be read again."""
        return self.dataset is None and self.path is None

    @property
    def words(self) -> str:
        """The source in words, with how it is read, for errors."""
        given = said(self.reading).values()
        return f"{self.path or self.dataset or 'arrays from Python'}{f' {argument(*given)}' if given else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; what was not given is left out."""
        plain = {"dataset": self.dataset, "path": self.path, **_fields(self.reading)}
        return {name: value for name, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Source:
        """Make a source of plain JSON values; what later versions may have added is ignored.

        Raises:
            DatasetError: if they are not those of one.
        """
        texts = {name: plain.get(name) for name in ("dataset", "path", *_TEXTS)}
        size = plain.get("size")
        wrong = [name for name, value in texts.items() if not (value is None or isinstance(value, str))]
        if wrong or not (size is None or isinstance(size, (list, tuple))):
            raise DatasetError(f"the store does not say where the data is in a way that can be read: {dict(plain)!r}")
        reading = Reading(None if size is None else tuple(size), **{name: texts[name] for name in _TEXTS})
        return cls(texts["dataset"], texts["path"], reading)


_TEXTS = tuple(one.name for one in dataclasses.fields(Reading) if one.name != "size")


def said(reading: Reading) -> dict[str, str]:
    """Return what a reading says: each value that is given, as an argument."""
    plain = {"size": None, **_fields(reading)} | {"size": reading.size}
    return {name: f"{name}={value!r}" for name, value in plain.items() if value is not None}


def argument(*said: str) -> str:
    """Return what a reading says as it is given, in a message."""
    return f"`reading=Reading({', '.join(said)})`"


def _fields(reading: Reading) -> dict[str, Any]:
    plain = {name: getattr(reading, name) for name in _TEXTS}
    size = None if reading.size is None else list(reading.size)
    return {**plain, "size": size, "reader": _reader(reading.reader)}


def _reader(reader: Any) -> str | None:
    """Return the name of a reader; a file is found from any folder."""
    if reader is None:
        return None
    name = reader if isinstance(reader, str) else name_of(reader)
    where, _, attribute = name.rpartition(":")
    return f"{Path(where).absolute()}:{attribute}" if where.endswith(".py") else name
