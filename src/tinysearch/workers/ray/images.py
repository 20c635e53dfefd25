"""Arrays that all workers of one node of a cluster see: each is written to a file of the node once."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from filelock import FileLock

from tinysearch.errors import WorkerError

_PREFIX = "tinysearch-node"


class NodeArrays:
    """Files that several processes of a node have in common.

    They lie in a folder that goes with the last process that uses it. If that was killed, the next one to start on the
    machine removes it.

    Args:
        key: The same for all processes that share files: of one node, for one executor.
    """

    def __init__(self, key: str) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"{_PREFIX}-{socket.gethostname()}-{key}"
        _remove_left_behind()
        while True:
            try:
                (self._folder / "users").mkdir(parents=True, exist_ok=True)
                with FileLock(self._folder / "lock"):
                    (self._folder / "users" / str(os.getpid())).touch()
                return
            except FileNotFoundError:
                # Its last user has removed it in this moment.
                continue
            except OSError as error:
                raise WorkerError(
                    f"there is no folder for temporary files on {socket.gethostname()}, from which workers read "
                    f"the images: {error.strerror or error}; free some space there, or set TMPDIR for its Ray"
                ) from None

    def path(self, name: str, fetch: Callable[[], npt.NDArray[Any]]) -> str:
        """Return the path of the file that holds an array.

        Args:
            name: Tells the array apart from others.
            fetch: Returns it; called by the first of all processes that asks for it.

        Raises:
            WorkerError: if there is no room for it.
        """
        path = self._folder / f"{name}.npy"
        with FileLock(self._folder / "lock"):
            if not path.exists():
                part = path.with_suffix(".part")
                try:
                    with part.open("wb") as stream:
                        np.save(stream, fetch(), allow_pickle=False)
                    part.replace(path)
                except OSError as error:
                    raise WorkerError(
                        f"the images cannot be written to {tempfile.gettempdir()} on {socket.gethostname()}, from "
                        f"which its workers read them: {error.strerror or error}; free some space there, or set "
                        f"TMPDIR for its Ray"
                    ) from None
        return str(path)

    def close(self) -> None:
        """Leave the files; the last one to leave removes them."""
        with suppress(OSError), FileLock(self._folder / "lock"):
            (self._folder / "users" / str(os.getpid())).unlink(missing_ok=True)
            _remove_unused(self._folder)


def _remove_left_behind() -> None:
    pattern = f"{_PREFIX}-{socket.gethostname()}-*"
    for folder in Path(tempfile.gettempdir()).glob(pattern):
        with suppress(OSError), FileLock(folder / "lock"):
            _remove_unused(folder)


def _remove_unused(folder: Path) -> None:
    # Whoever waits for the lock to begin to use the folder makes it again.
    users = folder / "users"
    if not users.is_dir() or not any(psutil.pid_exists(int(user.name)) for user in users.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
