"""Arrays shared by all processes of this machine, as memory-mapped files."""

from __future__ import annotations

import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from tinysearch.errors import WorkerError
from tinysearch.runtime.scratch import remove_left_behind, scratch_prefix

_KIND = "images"


class SharedArrays:
    """Arrays written to a temporary folder, each once. Closing removes the folder.

    A process that is killed leaves its folder behind; the next process on this machine removes it.
    """

    def __init__(self) -> None:
        self._folder: Path | None = None
        self._paths: dict[str, str] = {}

    def add(self, name: str, array: npt.NDArray[np.generic]) -> str:
        """Return the path of the file that holds an array.

        Raises:
            WorkerError: if the array cannot be written, for example because the disk is full.
        """
        if name not in self._paths:
            source = _source(array)
            if source is not None:
                self._paths[name] = source
            else:
                try:
                    path = self._place() / f"{name}.npy"
                    np.save(path, array, allow_pickle=False)
                except OSError as error:
                    raise WorkerError(
                        f"the images ({array.nbytes / 1e6:,.0f} MB) cannot be written to a folder for temporary files, "
                        f"from which the workers read them: {error.strerror or error}; free some space there, or set "
                        f"TMPDIR to a folder with room"
                    ) from None
                self._paths[name] = str(path)
        return self._paths[name]

    def close(self) -> None:
        """Remove the folder. Processes that have a file open can keep using it, if the system allows that."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        self._folder = None
        self._paths.clear()

    def _place(self) -> Path:
        if self._folder is None:
            remove_left_behind(_KIND)
            self._folder = Path(tempfile.mkdtemp(prefix=scratch_prefix(_KIND)))
        return self._folder


@functools.lru_cache(maxsize=8)
def mapped(path: str) -> npt.NDArray[Any]:
    """Return the array of a file, memory-mapped: only the parts that are accessed are read."""
    found: npt.NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    return found


def _source(array: npt.NDArray[np.generic]) -> str | None:
    """Return the path of the ``.npy`` file that an array maps as a whole; None if it maps no file or a part of one."""
    if not isinstance(array, np.memmap) or array.filename is None:
        return None
    try:
        whole = np.load(array.filename, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError):
        return None
    same = (whole.shape, whole.dtype, whole.offset) == (array.shape, array.dtype, array.offset)
    return str(array.filename) if same else None
