"""Reader of folders of pictures: one folder for each class, optionally below folders of parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinysearch.data.readers.archives import stem
from tinysearch.data.readers.parts import NAMES, part_of
from tinysearch.data.readers.pictures import decoded, form_of
from tinysearch.data.readers.reader import Array, Contents, Part, Reader, Reading
from tinysearch.errors import DatasetError, NoTestImagesError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".webp", ".tif", ".tiff", ".gif")
# Endings of pictures that are not read.
_OTHERS = (".heic", ".heif", ".avif", ".jp2", ".ppm", ".pgm", ".dng")


class Folder(Reader):
    """Reads folders of pictures with Pillow."""

    name: ClassVar[str] = "folder"
    kind: ClassVar[str] = "a folder of pictures"
    unused: ClassVar[tuple[str, ...]] = ("label_column",)

    def accepts(self, source: Any) -> bool:
        """Return whether a source is a folder that contains folders."""
        return isinstance(source, Path) and source.is_dir() and any(one.is_dir() for one in source.iterdir())

    def read(self, source: Path, reading: Reading) -> Contents:
        """Read the training part and the validation part; the test part is read on request."""
        parts = _parts(source)
        unread: Counter[str] = Counter()
        found = {part: list(_pictures(folder, unread)) for part, folder in parts.items()}
        of_folders = (
            *_beside(found["train"], source, parts),
            *_deeper(found["train"], parts["train"]),
            *_empty(found["train"], parts["train"]),
            *_left_out(unread),
        )
        form, notes = form_of([one.path for one in found["train"]], source, reading)

        def part(which: str) -> Part:
            pictures = found[which]
            pixels = decoded([one.path for one in pictures], form)
            groups = None if reading.groups is None else _groups(pictures, parts[which], reading.groups)
            return Part(pixels, np.array([one.label for one in pictures]), groups)

        def test() -> Part:
            if "test" not in found:
                raise NoTestImagesError(_without_test(source, parts))
            return part("test")

        return Contents(
            name=stem(source),
            source=f"the folder {source.name}",
            train=part("train"),
            validation=part("validation") if "validation" in found else None,
            read_test=test,
            layout="hwc",
            notes=(*of_folders, *notes),
            preparation=form.preparation,
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture file, and its class, which is the name of its folder."""

    path: Path
    label: str


def _parts(source: Path) -> dict[str, Path]:
    """Return the folder of each part; without folders of parts, the whole source is the training part.

    Raises:
        DatasetError: if there are folders of other parts but none for training, or two folders for one part.
    """
    folders = _folders(source)
    of_part = {part: [one for one in folders if _part(one.name) == part] for part in NAMES}
    named = [one for those in of_part.values() for one in those]
    # A folder 'train' without folders inside, next to other folders, may be a class of that name.
    alone = len(named) == 1 < len(folders) and bool(of_part["train"])
    if not named or (alone and not _folders(named[0])):
        return {"train": source}
    if not of_part["train"]:
        raise DatasetError(
            f"{source} has the folder {named[0].name!r}, but no folder 'train' beside it; put the folders of classes "
            f"to train on into {source / 'train'}"
        )
    for part, those in of_part.items():
        if len(those) > 1:
            names = " and ".join(one.name for one in those)
            raise DatasetError(f"{source} has {len(those)} folders for the {part} part, {names}; merge them")
    return {part: those[0] for part, those in of_part.items() if those}


def _part(name: str) -> str | None:
    """Return the part that a folder name stands for; not for ``tr``, which is a language as a folder name."""
    return None if name.lower() == "tr" else part_of(name)


def _beside(pictures: Sequence[Picture], source: Path, parts: Mapping[str, Path]) -> tuple[str, ...]:
    """Return notes about folders next to those of parts, which are left out, and about classes named like a part."""
    if parts["train"] == source:
        named = {one.label for one in pictures if _part(one.label) is not None}
        return tuple(f"{one} counts as a class, because it contains no folders of classes" for one in named)
    others = ", ".join(one.name for one in _folders(source) if one not in parts.values())
    return (f"folders next to {parts['train'].name} that are not parts are left out: {others}",) if others else ()


def _without_test(source: Path, parts: Mapping[str, Path]) -> str:
    """Return an error message about a missing test part, with the way to add one."""
    if parts["train"] != source:
        beside = ", ".join(sorted(folder.name for folder in parts.values()))
        return f"{source} has no folder 'test' beside {beside}; put pictures for tests into {source / 'test'}/CLASS"
    return (
        f"{source} has no test part: a search trains on 90 % of its pictures and validates on 10 %. To evaluate "
        f"networks, move the folders of classes into {source / 'train'}, and put other pictures into "
        f"{source / 'test'}/CLASS"
    )


def _deeper(pictures: Sequence[Picture], folder: Path) -> tuple[str, ...]:
    """Return a note if the folders of classes contain folders.

    Raises:
        DatasetError: if there is only one class, so that the folders inside it may be the classes.
    """
    classes = sorted({one.label for one in pictures})
    inner = sorted({one.path.parent.name for one in pictures if one.path.parent.parent != folder})
    if not inner:
        return ()
    within = ", ".join(inner[:3]) + (", ..." if len(inner) > 3 else "")
    if len(classes) == 1:
        raise DatasetError(
            f"{folder} holds pictures of one class only, {classes[0]!r}, in folders inside it ({within}); expected one "
            f"folder for each class right below {folder}. If the classes are below {folder / classes[0]}, give that"
        )
    return (
        f"classes are the folders directly below {folder.name}; pictures in folders inside these ({within}) belong to "
        f"the same class",
    )


def _empty(pictures: Sequence[Picture], folder: Path) -> tuple[str, ...]:
    """Return a note if folders next to those of classes contain no pictures."""
    held = {one.label for one in pictures}
    empty = sorted(one.name for one in _folders(folder) if one.name not in held)
    if not empty:
        return ()
    what = "it is not a class" if len(empty) == 1 else "they are not classes"
    return (f"no pictures in {', '.join(empty)}: {what}",)


def _left_out(unread: Counter[str]) -> tuple[str, ...]:
    """Return a note if folders of classes contain pictures with endings that are not read."""
    if not unread:
        return ()
    those = ", ".join(f"{number:,} {suffix}" for suffix, number in unread.most_common())
    return (f"pictures of other formats are left out ({those}); convert them to PNG or JPEG to have them read",)


def _folders(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))


def _pictures(folder: Path, unread: Counter[str]) -> Iterator[Picture]:
    count = 0
    for one in _folders(folder):
        for path in sorted(one.rglob("*")):
            suffix = path.suffix.lower()
            if any(name.startswith(".") for name in path.relative_to(one).parts):
                continue
            if suffix in SUFFIXES:
                count += 1
                yield Picture(path, one.name.encode("utf-8", "backslashreplace").decode())
            elif suffix in _OTHERS:
                unread[suffix] += 1
    if not count:
        others = Counter(path.suffix.lower() for path in folder.rglob("*") if path.is_file())
        held = ", ".join(f"{number} {suffix or 'without an ending'}" for suffix, number in others.most_common(3))
        raise DatasetError(
            f"{folder} holds no pictures in folders of classes ({held or 'no file at all'}); expected one folder for "
            f"each class with {', '.join(SUFFIXES)} files in it"
        )


def _groups(pictures: Sequence[Picture], folder: Path, pattern: str) -> Array:
    """Return the groups of pictures, found in file names, or in paths below their class if the pattern has a slash."""
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise DatasetError(
            f"the groups of pictures are found by a regular expression, got {pattern!r}: {error}"
        ) from None
    if wanted.groups != 1:
        raise DatasetError(
            f"the groups of pictures are found by a regular expression with one group in parentheses, which matches in "
            f"the name of a file, as '^(p\\d+)_', or in that of a folder, as '^(p\\d+)/'; got {pattern!r}"
        )
    found = []
    for picture in pictures:
        name = "/".join(picture.path.relative_to(folder).parts[1:]) if "/" in pattern else picture.path.name
        match = wanted.search(name)
        if match is None:
            raise DatasetError(f"`reading=Reading(groups={pattern!r})` does not match {name!r} of {picture.path}")
        found.append(match[1])
    return np.array(found)
