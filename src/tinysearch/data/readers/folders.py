"""Folders of pictures: one folder for each class, perhaps below folders of parts."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from tinysearch.data.readers.archives import stem
from tinysearch.data.readers.reader import Array, Contents, Part, Reader, Reading
from tinysearch.data.storage import allocate
from tinysearch.errors import DatasetError, NoTestImagesError

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp")
_PARTS = {"train": ("train", "training"), "validation": ("val", "valid", "validation", "dev"), "test": ("test",)}
# A field of EXIF: from 5 on, height and width change places.
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5
_CHANNELS = {"grey": 1, "rgb": 3, "rgba": 4}
_MODES = {"grey": "L", "rgb": "RGB", "rgba": "RGBA"}


class Folder(Reader):
    """Reads folders of pictures by Pillow."""

    name: ClassVar[str] = "folder"

    def accepts(self, source: Any) -> bool:
        """Whether it is a folder with folders in it."""
        return isinstance(source, Path) and source.is_dir() and any(one.is_dir() for one in source.iterdir())

    def read(self, source: Path, reading: Reading) -> Contents:
        """Read the training part and that for validation; that for tests when it is asked for."""
        parts = _parts(source)
        found = {part: list(_pictures(folder)) for part, folder in parts.items()}
        form, notes = _form([one.path for one in found["train"]], source, reading)

        def part(which: str) -> Part:
            pictures = found[which]
            pixels = decoded([one.path for one in pictures], form)
            groups = None if reading.groups is None else _groups(pictures, reading.groups)
            return Part(pixels, np.array([one.label for one in pictures]), groups)

        def test() -> Part:
            if "test" not in found:
                beside = ", ".join(sorted(folder.name for folder in parts.values()))
                raise NoTestImagesError(
                    f"{source} has no folders 'train' and 'test', so that all its pictures are trained on"
                    if parts["train"] == source
                    else f"{source} has no folder 'test' beside {beside}"
                )
            return part("test")

        return Contents(
            name=stem(source),
            source=f"the folder {source.name}",
            train=part("train"),
            validation=part("validation") if "validation" in found else None,
            read_test=test,
            layout="hwc",
            notes=notes,
        )


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, and the class that its folder says."""

    path: Path
    label: str


@dataclass(frozen=True, slots=True)
class Form:
    """What pictures are brought to: one size, grey or colour, eight or sixteen bits."""

    height: int
    width: int
    color: str
    deep: bool = False


def _parts(source: Path) -> dict[str, Path]:
    """Return the folder of each part; what has no folders of parts is all for training."""
    folders = {one.name.lower(): one for one in sorted(source.iterdir()) if one.is_dir()}
    found = {part: folders[name] for part, names in _PARTS.items() for name in names if name in folders}
    if "train" in found:
        return found
    if "test" in found and len(folders) == len(found):
        raise DatasetError(
            f"{source} has the folder {found['test'].name!r}, but no folder 'train' beside it; expected train and test "
            f"(and perhaps val), each with one folder for each class"
        )
    return {"train": source}


def _pictures(folder: Path) -> Iterator[Picture]:
    classes = sorted(one for one in folder.iterdir() if one.is_dir() and not one.name.startswith("."))
    count = 0
    for one in classes:
        for path in sorted(one.rglob("*")):
            if path.suffix.lower() in SUFFIXES and not path.name.startswith("."):
                count += 1
                yield Picture(path, one.name)
    if not count:
        others = Counter(path.suffix.lower() for path in folder.rglob("*") if path.is_file())
        held = ", ".join(f"{number} {suffix or 'without an ending'}" for suffix, number in others.most_common(3))
        raise DatasetError(
            f"{folder} holds no pictures in folders of classes ({held or 'no file at all'}); expected one folder for "
            f"each class with {', '.join(SUFFIXES)} files in it"
        )


def _form(paths: Sequence[Path], source: Path, reading: Reading) -> tuple[Form, tuple[str, ...]]:
    """Decide by the headers of all files what they are brought to."""
    sizes: Counter[tuple[int, int]] = Counter()
    modes: Counter[str] = Counter()
    for path in paths:
        with _opened(path) as picture:
            turned = _is_photograph(picture) and picture.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE
            sizes[(picture.width, picture.height) if turned else (picture.height, picture.width)] += 1
            modes[_color(picture)] += 1
    notes: list[str] = []
    if reading.size is not None:
        height, width = reading.size[:2]
        if set(sizes) != {(height, width)}:
            notes.append(f"pictures were brought to {height}x{width}, whatever their sides")
    elif len(sizes) > 1:
        shown = ", ".join(f"{h}x{w} ({count})" for (h, w), count in sizes.most_common(3))
        h, w = sizes.most_common(1)[0][0]
        raise DatasetError(
            f"the pictures in {source} are of {len(sizes)} sizes: {shown}{', ...' if len(sizes) > 3 else ''}; say what "
            f"they are to be brought to, for example `reading=Reading(size=({h}, {w}))`"
        )
    else:
        height, width = next(iter(sizes))
    color = reading.color or ("rgba" if set(modes) == {"rgba"} else "rgb" if set(modes) & {"rgb", "rgba"} else "grey")
    deep = reading.color is None and set(modes) == {"deep"}
    told = "grey" if color == "grey" else {"rgb": "red, green and blue", "rgba": "red, green, blue and alpha"}[color]
    mixed = ", ".join(f"{count} {'grey' if mode == 'deep' else mode}" for mode, count in modes.most_common())
    notes.append(
        f"pictures are {told}"
        + (f", for there are {mixed} (choose with `reading=Reading(color=...)`)" if len(modes) > 1 else "")
    )
    return Form(height, width, color, deep), tuple(notes)


def _color(picture: Any) -> str:
    if picture.mode in ("I;16", "I;16B", "I;16L", "I"):
        return "deep"
    if picture.mode in ("RGBA", "LA", "PA") or (picture.mode == "P" and "transparency" in picture.info):
        return "rgba"
    return "grey" if picture.mode in ("L", "1", "F") else "rgb"


def decoded(paths: Sequence[Path], form: Form) -> Array:
    """Return pictures of files, shape ``(images, height, width, channels)``, all brought to one form.

    Raises:
        DatasetError: if one cannot be read, or a size was not said and is another.
    """
    from PIL import Image, ImageOps

    kind = np.dtype(np.uint16 if form.deep else np.uint8)
    pixels = allocate((len(paths), form.height, form.width, _CHANNELS[form.color]), kind)
    for number, path in enumerate(paths):
        with _opened(path) as picture:
            try:
                if _is_photograph(picture):
                    picture = ImageOps.exif_transpose(picture)
                if not form.deep:
                    picture = _eight_bits(picture).convert(_MODES[form.color])
                if picture.size != (form.width, form.height):
                    picture = picture.resize((form.width, form.height), Image.Resampling.BILINEAR)
            except Exception as error:  # A damaged file can make Pillow raise almost anything.
                raise _unreadable(path, error) from None
            pixels[number] = np.asarray(picture, kind).reshape(pixels.shape[1:])
    return pixels


def _is_photograph(picture: Any) -> bool:
    """Whether a picture may be stored on its side, with a note of how the camera was held."""
    return bool(picture.format == "JPEG")


def _eight_bits(picture: Any) -> Any:
    """Return a picture of sixteen bits as one of eight; Pillow itself would cut values off at 255."""
    if _color(picture) != "deep":
        return picture
    from PIL import Image

    values = np.asarray(picture).astype(np.float64)
    return Image.fromarray(np.rint(np.clip(values, 0, 65_535) * (255 / 65_535)).astype(np.uint8))


def _opened(path: Path) -> Any:
    from PIL import Image

    try:
        return Image.open(path)
    except Exception as error:
        raise _unreadable(path, error) from None


def _unreadable(path: Path, error: Exception) -> DatasetError:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return DatasetError(f"the picture {path} cannot be read ({reason}); fix or remove it")


def _groups(pictures: Sequence[Picture], pattern: str) -> Array:
    try:
        wanted = re.compile(pattern)
    except re.error as error:
        raise DatasetError(
            f"the groups of pictures are found by a regular expression, got {pattern!r}: {error}"
        ) from None
    if wanted.groups != 1:
        raise DatasetError(
            f"the groups of pictures are found by a regular expression with one group in parentheses, who or what is "
            f"in the name of a file, as '^(p\\d+)_'; got {pattern!r}"
        )
    found = []
    for picture in pictures:
        match = wanted.search(picture.path.name)
        if match is None:
            raise DatasetError(f"`reading=Reading(groups={pattern!r})` finds nothing in the name of {picture.path}")
        found.append(match[1])
    return np.array(found)
