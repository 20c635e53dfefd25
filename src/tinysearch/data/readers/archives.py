"""Readers of NumPy files: ``.npz`` archives, and ``.npy`` files in a folder."""

from __future__ import annotations

import contextlib
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

import numpy as np

from tinysearch.data.readers.parts import NAMES
from tinysearch.data.readers.reader import Array, Contents, Part, Reader, Reading
from tinysearch.data.storage import in_memory_limit, unpacked
from tinysearch.errors import DatasetError, NoTestImagesError

# Usual names of the arrays of a part, in lower case.
_PIXELS = ("x", "images", "image", "data", "features", "inputs", "pixels")
_LABELS = ("y", "labels", "label", "targets", "target", "classes")
_GROUPS = ("groups", "group", "subjects", "subject")
_NAMES = ("class_names", "label_names", "names", "classes")


class Npz(Reader):
    """Reads ``.npz`` archives whose arrays have any of the usual names."""

    name: ClassVar[str] = "npz"
    kind: ClassVar[str] = "arrays"
    unused: ClassVar[tuple[str, ...]] = ("label_column", "color")

    def accepts(self, source: Any) -> bool:
        """Return whether a source is a path that ends in ``.npz``."""
        return isinstance(source, Path) and source.suffix.lower() == ".npz"

    def read(self, source: Path, reading: Reading) -> Contents:
        """Read the training part and the validation part; the test part is read on request."""
        held = _names(source)
        return _contents(source, held, lambda wanted: _members(source, wanted), reading)


class Npy(Reader):
    """Reads a folder of ``.npy`` files that are named like the arrays of an archive."""

    name: ClassVar[str] = "npy"
    kind: ClassVar[str] = "arrays"
    unused: ClassVar[tuple[str, ...]] = ("label_column", "color")

    def accepts(self, source: Any) -> bool:
        """Return whether a source is a folder with ``.npy`` files, or one such file."""
        if not isinstance(source, Path):
            return False
        return source.suffix.lower() == ".npy" or (source.is_dir() and any(source.glob("*.npy")))

    def read(self, source: Path, reading: Reading) -> Contents:
        """Map the arrays into memory."""
        folder = source if source.is_dir() else source.parent
        held = sorted(path.stem for path in folder.glob("*.npy"))
        return _contents(
            folder, held, lambda wanted: {name: _mapped(folder / f"{name}.npy") for name in wanted}, reading
        )


def _contents(path: Path, held: list[str], arrays: Any, reading: Reading) -> Contents:
    found = {part: _of_part(held, part) for part in NAMES}
    if not found["train"]:
        found["train"] = _bare(held)
    train = found["train"]
    missing = [name for name, there in (("x_train", "pixels"), ("y_train", "labels")) if there not in train]
    if missing:
        raise DatasetError(
            f"{path} has no array {missing[0]!r}; it holds {', '.join(held) or 'none'}, expected x_train and y_train "
            f"(or train_images and train_labels, x and y, images and labels, ...), x_test and y_test for evaluations"
        )

    def part(which: str) -> Part:
        names = dict(found[which])
        if reading.groups is not None:
            names.pop("groups", None)
            named = _named_by_user(held, reading.groups, which, path)
            names |= {} if named is None else {"groups": named}
        read = arrays(list(names.values()))
        return Part(**{role: read[name] for role, name in names.items()})

    def test() -> Part:
        names = found["test"]
        if not names:
            raise NoTestImagesError(
                f"{path} has no array 'x_test'; it holds {', '.join(held)}, expected x_test and y_test for evaluations"
            )
        _check_pair(path, names, "test")
        return part("test")

    if found["validation"]:
        _check_pair(path, found["validation"], "val")
    names = next((name for name in held if name.lower() in _NAMES and name not in train.values()), None)
    train_part = part("train")
    class_names = None if names is None else _class_names(names, arrays([names])[names], train_part.labels)
    return Contents(
        name=stem(path),
        source=f"the file {path.name}" if path.is_file() else f"the folder {path.name}",
        train=train_part,
        validation=part("validation") if found["validation"] else None,
        read_test=test,
        class_names=class_names,
    )


def _check_pair(path: Path, names: Mapping[str, str], part: str) -> None:
    for role, name in (("pixels", f"x_{part}"), ("labels", f"y_{part}")):
        if role not in names:
            raise DatasetError(f"{path} has {', '.join(names.values())}, but no array {name!r} to go with it")


def _of_part(held: Collection[str], part: str) -> dict[str, str]:
    """Return the names of the arrays of a part, by role: pixels, labels, groups."""
    found: dict[str, str] = {}
    for role, words in (("pixels", _PIXELS), ("labels", _LABELS), ("groups", _GROUPS)):
        for word in words:
            for spelled in NAMES[part]:
                pattern = re.compile(rf"{word}[_-]?{spelled}|{spelled}[_-]?{word}", re.IGNORECASE)
                name = next((one for one in held if pattern.fullmatch(one)), None)
                if name is not None:
                    found.setdefault(role, name)
    if "groups" in found and len(found) == 1:
        del found["groups"]
    if part == "train" and found and "groups" not in found:
        bare = next((one for one in held if one.lower() in _GROUPS), None)
        if bare is not None:
            found["groups"] = bare
    return found


def _bare(held: Collection[str]) -> dict[str, str]:
    """Return the names of arrays without the name of a part in them, by role: pixels, labels, groups."""
    lower = {name.lower(): name for name in held}
    found: dict[str, str] = {}
    for role, words in (("pixels", _PIXELS), ("labels", _LABELS), ("groups", _GROUPS)):
        word = next((one for one in words if one in lower), None)
        if word is not None:
            found[role] = lower[word]
    return found


def _named_by_user(held: Collection[str], groups: str, part: str, path: Path) -> str | None:
    """Return the name of the array with the groups of a part; the test part need not have one."""
    wanted = [f"{groups}_{spelled}" for spelled in NAMES[part]] + ([groups] if part == "train" else [])
    name = next((one for one in wanted if one in held), None)
    if name is None and part != "test":
        if part == "validation":
            raise DatasetError(
                f"{path} has no groups {wanted[0]!r} for its validation part; leave out `reading=Reading(groups=...)`"
            )
        raise DatasetError(f"{path} has no array {groups!r} of groups; it holds {', '.join(held)}")
    return name


def _class_names(name: str, array: Array, labels: Array) -> list[str] | None:
    """Return names of classes; None if the array may be something else, such as names of images."""
    if array.ndim != 1 or array.dtype.kind != "U":
        return None
    numbers = np.asarray(labels)
    is_certain = name.lower() in ("class_names", "label_names")
    if is_certain or (numbers.dtype.kind in "iu" and numbers.size and int(numbers.max()) + 1 == len(array)):
        return [str(one) for one in array.tolist()]
    return None


def _names(path: Path) -> list[str]:
    with _faults_of(path), path.open("rb") as stream:
        return list(_archive(path, stream))


def _members(path: Path, wanted: list[str]) -> dict[str, Array]:
    with _faults_of(path), path.open("rb") as stream:
        archive = _archive(path, stream)
        return {name: _member(path, archive, name) for name in wanted}


def _member(path: Path, archive: np.lib.npyio.NpzFile, name: str) -> Array:
    with zipfile.ZipFile(path) as file:
        member = f"{name}.npy" if f"{name}.npy" in file.namelist() else name
        if file.getinfo(member).file_size > in_memory_limit():
            with file.open(member) as stream:
                return unpacked(stream)
    array: Array = archive[name]
    if not isinstance(array, np.ndarray):
        raise DatasetError(f"{path} holds something other than an array under {name}")
    return array


def _archive(path: Path, stream: BinaryIO) -> np.lib.npyio.NpzFile:
    file = np.load(stream, allow_pickle=False)
    if not isinstance(file, np.lib.npyio.NpzFile):
        raise DatasetError(
            f"{path} cannot be read as an .npz file (it is a single array); save it as .npy, or by numpy.savez with "
            f"x_train and y_train"
        )
    return file


def _mapped(path: Path) -> Array:
    with _faults_of(path):
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
        return array


@contextlib.contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    """Convert any error to a ``DatasetError`` about the file."""
    kind = path.suffix.lower()
    try:
        yield
    except DatasetError:
        raise
    except FileNotFoundError:
        raise DatasetError(f"there is no file {path}; expected an {kind} file with x_train and y_train") from None
    except Exception as error:  # A damaged file can make NumPy raise almost anything.
        if "Object arrays" in str(error):
            raise DatasetError(
                f"{path} holds object arrays, which cannot be loaded safely; save arrays of numbers or of texts"
            ) from None
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        # NumPy takes unknown formats for pickles, and its message explains how to load them unsafely.
        reason = "it is not a zip file" if "pickle" in reason and kind == ".npz" else reason
        raise DatasetError(
            f"{path} cannot be read as an {kind} file ({reason}); it may be cut short or damaged"
        ) from None


def stem(path: Path) -> str:
    """Return the name of a file (without its ending) or folder, with characters escaped that UTF-8 cannot encode."""
    return (path.stem if path.is_file() else path.resolve().name).encode("utf-8", "backslashreplace").decode()
