"""Reader of text tables: a row for each image, with its label, and its pixels or the path of its file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from tinysearch.data.readers.archives import stem
from tinysearch.data.readers.columns import Columns, columns_of, is_number, lines_of, names_of
from tinysearch.data.readers.parts import NAMES, part_of
from tinysearch.data.readers.pictures import decoded, form_of
from tinysearch.data.readers.reader import Array, Contents, Part, Reader, Reading
from tinysearch.errors import DatasetError, NoTestImagesError

SUFFIXES = (".csv", ".tsv")
_BYTES = 255
# Length up to which an error shows the text of a cell.
_LONGEST = 200
# Number of lines to examine after a value that is not a number, to choose the remedy in the error message.
_LOOKED_AT = 1_000


class Table(Reader):
    """Reads ``.csv`` and ``.tsv`` files."""

    name: ClassVar[str] = "table"

    def accepts(self, source: Any) -> bool:
        """Return whether a source is a ``.csv`` or ``.tsv`` path, or a folder with a ``train.csv``."""
        if not isinstance(source, Path):
            return False
        return source.suffix.lower() in SUFFIXES or (source.is_dir() and (source / "train.csv").exists())

    def read(self, source: Path, reading: Reading) -> Contents:
        """Read the table, and the tables of other parts next to it."""
        main = source / "train.csv" if source.is_dir() else source
        columns = columns_of(main, reading)
        rows, parts = _rows_of_parts(main, columns)
        notes: list[str] = []
        if not len(parts["train"]):
            raise DatasetError(f"{main} has no row for training in its column {columns.names[columns.split or 0]!r}")
        beside = {} if columns.split is not None else _beside(main)
        read = _Rows(main, columns, rows, reading)
        validation: Part | None = None
        if len(parts.get("validation", ())):
            validation = read.part(parts["validation"])
        elif "validation" in beside:
            validation = _other(beside["validation"], reading, read)
        train = read.part(parts["train"])
        test_file = beside.get("test")
        if test_file is not None and _label_of(test_file, reading) is None:
            notes.append(f"{test_file.name} has no column of labels, so it is not used as the test part")
            test_file = None

        def test() -> Part:
            if len(parts.get("test", ())):
                return read.part(parts["test"])
            if test_file is None:
                raise NoTestImagesError(
                    f"{main} has no test part; to evaluate networks, give it a column 'split' with train and test, or "
                    f"put the parts into two files, train.csv and test.csv"
                )
            return _other(test_file, reading, read)

        used = {**beside, "test": test_file} if test_file is not None else {"validation": beside.get("validation")}
        notes += [f"{path.name} next to it is the {part} part" for part, path in used.items() if path is not None]
        if reading.groups is not None:
            without = [path for path in used.values() if path is not None and reading.groups not in names_of(path)]
            notes += [f"{path.name} has no column {reading.groups!r}, so its groups are not known" for path in without]
        return Contents(
            name=stem(source),
            source=f"the file {main.name}",
            train=train,
            validation=validation,
            read_test=test,
            layout="hwc" if columns.path is not None else None,
            notes=(*read.notes, *notes),
            preparation=() if read.form is None else read.form.preparation,
        )


class _Rows:
    """The rows of one table."""

    def __init__(self, path: Path, columns: Columns, rows: list[list[str]], reading: Reading, form: Any = None) -> None:
        self.path = path
        self.columns = columns
        self.rows = rows
        self.notes: tuple[str, ...] = columns.notes
        self.form = form
        self._all: Array | None = None
        if columns.path is not None and form is None:
            self.form, notes = form_of([self._file(row) for row in rows], path, reading)
            self.notes += notes

    def part(self, wanted: npt.NDArray[np.intp]) -> Part:
        """Return some of the rows as a part."""
        columns = self.columns
        labels = np.array([self.rows[row][columns.label] for row in wanted])
        groups = None
        if columns.groups is not None:
            groups = np.array([self.rows[row][columns.groups] for row in wanted])
        if columns.path is not None:
            return Part(decoded([self._file(self.rows[row]) for row in wanted], self.form), labels, groups)
        if self._all is None:
            self._all = _numbers(self.path, columns)
            self.notes += _counting(self._all, columns)
        whole = len(wanted) == len(self._all)
        return Part(self._all if whole else self._all[wanted], labels, groups)

    def _file(self, row: Sequence[str]) -> Path:
        named = row[self.columns.path or 0]
        path = self.path.parent / named
        if not os.path.isfile(path):  # noqa: PTH113 (a Path raises OSError if the text is too long for a name)
            shown = named if len(named) <= _LONGEST else f"{named[:_LONGEST]}..."
            raise DatasetError(
                f"{self.path} names the picture {shown!r}, but there is no such file in {self.path.parent}"
            )
        return path


def _other(path: Path, reading: Reading, first: _Rows) -> Part:
    """Return a part that has its own table."""
    columns = columns_of(path, reading, with_groups=False)
    rows, _ = _rows_of_parts(path, columns)
    _check_same(path, columns, first)
    read = _Rows(path, columns, rows, reading, first.form)
    return read.part(np.arange(len(rows)))


def _check_same(path: Path, columns: Columns, first: _Rows) -> None:
    """Raise an error if the columns of pixels differ from the first table's, unless just all their names do."""
    if columns.path is not None or not (columns.header and first.columns.header):
        return
    here, there = ([one.names[place].strip().lower() for place in one.pixels] for one in (columns, first.columns))
    if here == there or (len(here) == len(there) and not set(here) & set(there)):
        return
    place = next(number for number, (one, other) in enumerate(itertools.zip_longest(here, there)) if one != other)
    named = [repr(names[place]) if place < len(names) else "missing" for names in (here, there)]
    raise DatasetError(
        f"{path} has {len(here):,} columns of pixels and {first.path.name} has {len(there):,}; the first that differs "
        f"is {named[0]} here and {named[1]} there; give both the same columns in the same order"
    )


def _label_of(path: Path, reading: Reading) -> int | None:
    try:
        return columns_of(path, reading, with_groups=False).label
    except DatasetError:
        return None


def _rows_of_parts(path: Path, columns: Columns) -> tuple[list[list[str]], dict[str, npt.NDArray[np.intp]]]:
    """Return the texts of all rows without their pixels, and the numbers of the rows of each part."""
    kept = [columns.label, columns.path, columns.split, columns.groups]
    places = sorted({place for place in kept if place is not None})
    rows: list[list[str]] = []
    for number, row in lines_of(path, columns.delimiter, columns.header):
        if len(row) != len(columns.names):
            raise DatasetError(
                f"line {number} of {path} has {len(row)} values, but the table has {len(columns.names)} columns"
            )
        short = [""] * (places[-1] + 1)
        for place in places:
            short[place] = row[place]
        rows.append(short)
    if not rows:
        raise DatasetError(f"{path} has no rows below its header; expected one for each image")
    if columns.split is None:
        return rows, {"train": np.arange(len(rows))}
    of = [part_of(row[columns.split]) for row in rows]
    if None in of:
        bad = rows[of.index(None)][columns.split]
        raise DatasetError(
            f"the column {columns.names[columns.split]!r} of {path} has {bad!r}; expected train, val or test in it"
        )
    return rows, {part: np.flatnonzero([one == part for one in of]) for part in NAMES}


def _numbers(path: Path, columns: Columns) -> Array:
    """Return the pixels of all rows, as bytes if all of them are whole numbers from 0 to 255."""
    try:
        found: Array = np.loadtxt(
            path,
            dtype=np.float32,
            delimiter=columns.delimiter,
            skiprows=int(columns.header),
            usecols=columns.pixels,
            comments=None,
            quotechar='"',
            ndmin=2,
            encoding="utf-8-sig",
        )
    except ValueError as error:
        raise DatasetError(_no_number(path, columns) or f"{path} cannot be read as numbers ({error})") from None
    whole = np.isfinite(found).all() and (found == np.rint(found)).all()
    return found.astype(np.uint8) if whole and found.min() >= 0 and found.max() <= _BYTES else found


def _no_number(path: Path, columns: Columns) -> str | None:
    """Return an error message about the first pixel that is not a number, with a remedy; None if all are numbers."""
    pixels = columns.pixels
    lines = lines_of(path, columns.delimiter, columns.header)
    where = ((number, place, row[place]) for number, row in lines for place in pixels if not is_number(row[place]))
    line, place, text = next(where, (0, 0, ""))
    if not line:
        return None
    more = [row for _, row in itertools.islice(lines, _LOOKED_AT)]
    is_first = line == int(columns.header) + 1
    if is_first and more and not any(is_number(row[place]) for row in more):
        remedy = (
            "if it is not a column of pixels, remove it, or name it by `reading=Reading(label_column=...)` or "
            "`reading=Reading(groups=...)`"
        )
    else:
        bad = sum(not all(is_number(row[place]) for place in pixels) for row in more)
        several = f", and {bad:,} of the next {len(more):,} lines" if bad else ""
        remedy = f"fix or remove it{several}"
    held = "nothing" if not text.strip() else repr(text)
    return f"line {line} of {path} has {held} in the column {columns.names[place]!r}, expected a number: {remedy}"


def _counting(found: Array, columns: Columns) -> tuple[str, ...]:
    """Return a note if a column increases by one from row to row, like an index without a usual name."""
    few = found[:3].astype(np.float64)
    if len(found) < 3:
        return ()
    for number in np.flatnonzero((np.diff(few, axis=0) == 1).all(axis=0)):
        if np.array_equal(found[:, number].astype(np.float64) - few[0, number], np.arange(len(found))):
            name = columns.names[columns.pixels[number]]
            return (f"the column {name!r} counts the rows; if it is not an input, remove it",)
    return ()


def _beside(path: Path) -> dict[str, Path]:
    """Return the files of other parts next to a file whose name marks it as the training part."""
    there = {one.name.lower(): one for one in sorted(path.parent.glob("*"))}
    found: dict[str, Path] = {}
    for word, part in itertools.product(NAMES["train"], ("validation", "test")):
        for other in NAMES[part] if word in path.stem.lower() else ():
            beside = there.get(path.name.lower().replace(word, other))
            if beside is not None and beside.is_file():
                found.setdefault(part, beside)
    return found
