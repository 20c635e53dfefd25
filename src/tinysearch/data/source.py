"""Source of a dataset as the user gave it. It is stored with a run, so that later commands can read the data again."""

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

# Datasets that are loaded by name.
NAMED = (*KERAS_DATASETS, "digits")


@dataclass(frozen=True, slots=True)
class Source:
    """Name, path and reading options that find a dataset again. All three are empty for arrays from Python.

    Args:
        dataset: Name of the dataset; None for a file or folder that may hold any dataset.
        path: Absolute path of the file or folder; in archives, which are copied to other machines, only its last part.
        reading: Reading options that the data itself does not define.
    """

    dataset: str | None = None
    path: str | None = None
    reading: Reading = field(default_factory=Reading)

    @classmethod
    def of(cls, dataset: str, path: Path | None, reading: Reading) -> Source:
        """Return the source for a dataset name (``"auto"`` for none), a path and reading options."""
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
        """Description of the source and its reading options, for error messages."""
        given = said(self.reading).values()
        return f"{self.path or self.dataset or 'arrays from Python'}{f' {argument(*given)}' if given else ''}"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; fields that are None are left out."""
        plain = {"dataset": self.dataset, "path": self.path, **_fields(self.reading)}
        return {name: value for name, value in plain.items() if value is not None}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Source:
        """Make a source from plain JSON values. Unknown fields, which later versions may add, are ignored.

        Raises:
            DatasetError: if a value has the wrong type.
        """
        texts = {name: plain.get(name) for name in ("dataset", "path", *_TEXTS)}
        size = plain.get("size")
        wrong = [name for name, value in texts.items() if not (value is None or isinstance(value, str))]
        if wrong or not (size is None or isinstance(size, (list, tuple))):
            raise DatasetError(f"the store has an invalid description of the source of the data: {dict(plain)!r}")
        reading = Reading(None if size is None else tuple(size), **{name: texts[name] for name in _TEXTS})
        return cls(texts["dataset"], texts["path"], reading)


_TEXTS = tuple(one.name for one in dataclasses.fields(Reading) if one.name != "size")


def said(reading: Reading) -> dict[str, str]:
    """Return the options that a reading sets, by name, each written as a keyword argument."""
    plain = {"size": None, **_fields(reading)} | {"size": reading.size}
    return {name: f"{name}={value!r}" for name, value in plain.items() if value is not None}


def argument(*said: str) -> str:
    """Return the ``reading=`` argument for a message, from options written as keyword arguments."""
    return f"`reading=Reading({', '.join(said)})`"


def _fields(reading: Reading) -> dict[str, Any]:
    plain = {name: getattr(reading, name) for name in _TEXTS}
    size = None if reading.size is None else list(reading.size)
    return {**plain, "size": size, "reader": _reader(reading.reader)}


def _reader(reader: Any) -> str | None:
    """Return the name of a reader. The path of a file becomes absolute, so that it is found from any folder."""
    if reader is None:
        return None
    name = reader if isinstance(reader, str) else name_of(reader)
    where, _, attribute = name.rpartition(":")
    return f"{Path(where).absolute()}:{attribute}" if where.endswith(".py") else name
