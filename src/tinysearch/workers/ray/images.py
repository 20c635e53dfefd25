"""Arrays shared by all workers of one cluster node. Each is written to a file of the node once."""

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
from tinysearch.runtime.scratch import prefix_of_host

_KIND = "node"


class NodeArrays:
    """Files shared by several processes of a node.

    The last process that uses the folder of the files removes it. If that process is killed, the next one to start on
    the machine removes the folder.

    Args:
        key: Identifier that is equal for all processes that share files: those of one executor on one node.
    """

    def __init__(self, key: str) -> None:
        self._folder = Path(tempfile.gettempdir()) / f"{prefix_of_host(_KIND)}{key}"
        _remove_left_behind()
        while True:
            try:
                (self._folder / "users").mkdir(parents=True, exist_ok=True)
                with FileLock(self._folder / "lock"):
                    (self._folder / "users" / str(os.getpid())).touch()
                return
            except FileNotFoundError:
                # Its last user has just removed the folder.
                continue
            except OSError as error:
                raise WorkerError(
                    f"there is no folder for temporary files on {socket.gethostname()}, from which workers read "
                    f"the images: {error.strerror or error}; free some space there, or set TMPDIR for its Ray"
                ) from None

    def path(self, name: str, fetch: Callable[[], npt.NDArray[Any]]) -> str:
        """Return the path of the file that holds an array.

        Args:
            name: Unique name of the array.
            fetch: Returns the array; only the first process that needs it calls this.

        Raises:
            WorkerError: if the array cannot be written, for example because the disk is full.
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
        """Stop using the files; the last process to do so removes them."""
        with suppress(OSError), FileLock(self._folder / "lock"):
            (self._folder / "users" / str(os.getpid())).unlink(missing_ok=True)
            _remove_unused(self._folder)


def _remove_left_behind() -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix_of_host(_KIND)}*"):
        with suppress(OSError), FileLock(folder / "lock"):
            _remove_unused(folder)


def _remove_unused(folder: Path) -> None:
    # A process that waits for the lock to start using the folder creates it again.
    users = folder / "users"
    if not users.is_dir() or not any(psutil.pid_exists(int(user.name)) for user in users.iterdir()):
        shutil.rmtree(folder, ignore_errors=True)
