"""Roles of the columns of a table: label, path, split, groups and pixels."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinysearch.data.readers.reader import Reading
from tinysearch.errors import DatasetError

_LABELS = ("label", "labels", "class", "target", "y")
_PATHS = ("path", "file", "filename", "file_name", "image", "image_path")
_SPLITS = ("split", "part", "subset", "set")
# Columns that identify rows and are not inputs, such as an index that pandas wrote.
_MARKS = ("", "unnamed: 0", "id", "index", "idx", "row_id", "image_id", "time", "timestamp", "date", "datetime")


@dataclass(frozen=True, slots=True)
class Columns:
    """Roles of the columns of a table, by their positions.

    Args:
        names: Names of all columns; numbers from 0 if the table has no header.
        header: Whether the first line holds the names.
        label, path, split, groups: Positions of these columns; None if there are none.
        delimiter: Character that separates columns.
    """

    names: tuple[str, ...]
    header: bool
    label: int
    path: int | None
    split: int | None
    groups: int | None
    delimiter: str

    @property
    def pixels(self) -> list[int]:
        """Positions of the columns with pixels."""
        left_out = set(self.left_out)
        return [place for place in self._without_role if place not in left_out]

    @property
    def left_out(self) -> list[int]:
        """Positions of the columns that identify rows, such as ``id`` and ``time``."""
        return [place for place in self._without_role if self.names[place].strip().lower() in _MARKS]

    @property
    def _without_role(self) -> list[int]:
        named = {self.label, self.path, self.split, self.groups}
        return [place for place in range(len(self.names)) if place not in named]

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences for users about how the columns were read."""
        if self.path is not None or not self.left_out:
            return ()
        named = ", ".join(repr(self.names[place]) for place in self.left_out)
        return (f"columns left out, because they identify rows: {named}; to use one as an input, rename it",)


def names_of(path: Path) -> list[str]:
    """Return the texts of the first line of a table.

    Raises:
        DatasetError: if the file is missing, or is not text in UTF-8.
    """
    return _split(path)[0]


def _split(path: Path) -> tuple[list[str], str]:
    first = _first_line(path)
    delimiter = max(",;\t", key=first.count)
    return next(csv.reader([first], delimiter=delimiter), []), delimiter


def columns_of(path: Path, reading: Reading, *, with_groups: bool = True) -> Columns:
    """Return the roles of the columns of a table, decided by its first line.

    Args:
        path: The file.
        reading: Reading options of the user.
        with_groups: Whether the column of groups that the user named must exist.

    Raises:
        DatasetError: if the table has no labels, nothing but labels, or no groups although it must have them.
    """
    names, delimiter = _split(path)
    header = _is_header(names, (reading.label_column, reading.groups))
    if not names or (len(names) == 1 and not header):
        raise DatasetError(f"{path} has {len(names)} columns; expected a label and pixels, or path and label")
    if not header:
        names = [str(place) for place in range(len(names))]
    label = _place(names, reading.label_column, _LABELS)
    if label is None:
        known = ", ".join(names[:6]) + (", ..." if len(names) > 6 else "")
        which = f"no column {reading.label_column!r}" if reading.label_column else "no column 'label'"
        hint = "" if header else " (it has no header, so columns are named by number, from 0)"
        raise DatasetError(
            f"{path} has {which}; its columns are {known}{hint}; name the one with the labels by "
            f"`reading=Reading(label_column=...)`"
        )
    groups = None
    if reading.groups is not None:
        groups = _place(names, reading.groups, ())
        if groups is None and with_groups:
            raise DatasetError(
                f"{path} has no column {reading.groups!r} of groups; its columns are {', '.join(names[:6])}"
            )
    columns = Columns(
        tuple(names),
        header,
        label,
        _other(names, _PATHS, (label, groups)) if header else None,
        _other(names, _SPLITS, (label, groups)) if header else None,
        groups,
        delimiter,
    )
    if columns.path is None and not columns.pixels:
        raise DatasetError(
            f"{path} has the columns {', '.join(names)}; expected columns of pixels, not just identifiers such "
            f"as 'id' and 'time', or a column 'path' with the files of pictures"
        )
    return columns


def _is_header(names: Sequence[str], given: Sequence[str | None]) -> bool:
    """Return whether the first line of a table holds names: not if it looks like the pixels of an image with a label.

    A single text among numbers may be a label. It is a name if it is a usual one or given by the user, or if the
    numbers rise, as those of columns do.
    """
    texts = [name for name in names if not is_number(name)]
    if len(texts) != 1:
        return bool(texts)
    usual = (*_LABELS, *_PATHS, *_SPLITS, *_MARKS)
    numbers = [float(name) for name in names if is_number(name)]
    rising = all(one < other for one, other in itertools.pairwise(numbers))
    return texts[0].strip().lower() in usual or texts[0] in given or rising


def _place(names: Sequence[str], given: str | None, known: Sequence[str]) -> int | None:
    if given is not None:
        return names.index(given) if given in names else None
    lower = [name.strip().lower() for name in names]
    return next((lower.index(name) for name in known if name in lower), None)


def _other(names: Sequence[str], known: Sequence[str], taken: Sequence[int | None]) -> int | None:
    """Return the position of a column with a usual name that does not have another role."""
    return _place(["" if place in taken else name for place, name in enumerate(names)], None, known)


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return stream.readline().rstrip("\r\n")
    except FileNotFoundError:
        raise DatasetError(f"there is no file {path}; expected a table with a column of labels") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as a table of text in UTF-8 ({error})") from None


def lines_of(path: Path, delimiter: str, header: bool) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table, each with the number of its line, from 1.

    Raises:
        DatasetError: if the file is not a table of text in UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.reader(stream, delimiter=delimiter)
            for row in itertools.islice(reader, int(header), None):
                if row:
                    yield reader.line_num, row
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path} cannot be read as a table of text in UTF-8 ({error})") from None


def is_number(text: str) -> bool:
    """Return whether NumPy reads a text as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return "_" not in text
