"""Storage of pixel arrays: in memory, or in memory-mapped files if they are large."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from tinysearch.errors import DatasetError
from tinysearch.runtime.memory import MOST_IN_MEMORY, usable_memory
from tinysearch.runtime.scratch import remove_left_behind, scratch_prefix

Array = npt.NDArray[np.generic]

LEAST_IN_MEMORY = 2**24
SHARE_OF_MEMORY = 8
# Number of bytes to process at a time.
CHUNK = 2**25
_KIND = "pixels"


def in_memory_limit() -> int:
    """Return the maximum number of bytes of a pixel array in memory.

    That is 128 MiB, or an eighth of the usable memory if that is less, but at least 16 MiB.
    """
    return max(LEAST_IN_MEMORY, min(MOST_IN_MEMORY, usable_memory() // SHARE_OF_MEMORY))


def allocate(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """Return an uninitialized array: in memory, or in a memory-mapped file that is removed once the array is unused.

    A process that is killed leaves its files behind; the next process on this machine that needs one removes them.

    Raises:
        DatasetError: if the disk has too little free space.
    """
    kind = np.dtype(dtype)
    size = int(np.prod(shape, dtype=np.int64)) * kind.itemsize
    if size <= in_memory_limit():
        return np.empty(shape, kind)
    remove_left_behind(_KIND)
    try:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if free < size + CHUNK:
            raise OSError(f"{size / 1e9:.1f} GB are needed, {free / 1e9:.1f} GB are free")
        path = _scratch()
    except OSError as error:
        raise _no_room(error) from None
    try:
        array = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    except OSError as error:
        _remove(path)
        raise _no_room(error) from None
    weakref.finalize(array, _remove, path)
    return array


def unpacked(stream: IO[bytes]) -> Array:
    """Return a large array in ``.npy`` format from a stream, as a memory-mapped file that is removed once it is unused.

    Raises:
        DatasetError: if the disk has too little free space.
        ValueError: if the stream has another format, or the array holds objects.
    """
    remove_left_behind(_KIND)
    try:
        path = _scratch()
    except OSError as error:
        raise _no_room(error) from None
    try:
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, CHUNK)
        array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        _remove(path)
        raise _no_room(error) from None
    except BaseException:
        _remove(path)
        raise
    weakref.finalize(array, _remove, path)
    return array


def taken(array: Array, rows: npt.NDArray[np.intp] | None, convert: Callable[[Array], Array]) -> Array:
    """Return converted images of an array, without a second copy of the whole array in memory.

    Args:
        array: Shape ``(images, ...)``.
        rows: Numbers of the images, in the order of the result; None for all images in their order.
        convert: Function that receives a few images at a time and returns the same number of images.
    """
    count = len(array) if rows is None else len(rows)
    step = max(1, CHUNK // max(1, array.nbytes // max(1, len(array))))
    result: Array | None = None
    for begin in range(0, count, step):
        part = slice(begin, begin + step)
        found = convert(np.asarray(array[part] if rows is None else array[rows[part]]))
        if result is None:
            if len(found) == count:
                return np.ascontiguousarray(found)
            result = allocate((count, *found.shape[1:]), found.dtype)
        result[part] = found
    return convert(np.asarray(array[:0])) if result is None else result


def chunks(array: Array) -> list[slice]:
    """Return slices of about 32 MiB each that together cover all images of an array."""
    step = max(1, CHUNK // max(1, array.nbytes // max(1, len(array))))
    return [slice(begin, begin + step) for begin in range(0, len(array), step)]


def _scratch() -> Path:
    descriptor, name = tempfile.mkstemp(".npy", scratch_prefix(_KIND))
    os.close(descriptor)
    return Path(name)


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):
        path.unlink(missing_ok=True)


def _no_room(error: OSError) -> DatasetError:
    return DatasetError(
        f"the images are too many for memory, and there is no room for them in {tempfile.gettempdir()} "
        f"({error.strerror or error}); free some space there, or set TMPDIR to a folder with more"
    )
