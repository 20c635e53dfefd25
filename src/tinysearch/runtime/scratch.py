"""Temporary files, with alternatives if no folder for them can be used."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

from tinysearch.errors import WorkerError


def scratch_prefix(kind: str) -> str:
    """Return the beginning of the names of this process's temporary files of a kind, see ``remove_left_behind``."""
    return f"{prefix_of_host(kind)}{os.getpid()}-"


def remove_left_behind(kind: str) -> None:
    """Remove temporary files and folders of a kind that belong to ended processes of this machine."""
    import psutil

    with suppress(OSError):
        for path in Path(tempfile.gettempdir()).glob(f"{prefix_of_host(kind)}*-*"):
            process = path.name.removeprefix(prefix_of_host(kind)).split("-")[0]
            if process.isdecimal() and not psutil.pid_exists(int(process)):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)


def prefix_of_host(kind: str) -> str:
    """Return the beginning of the names of this machine's temporary files of a kind, unlike that of any other machine.

    Machines may share a folder, but a process number is only valid on one of them. An ``@`` ends the name of the
    machine, as it may be the beginning of another's, such as ``gpu`` of ``gpu-9``.
    """
    return f"tinysearch-{kind}-{socket.gethostname()}@"


def scratch_file() -> BinaryIO:
    """Return a file that disappears when closed: in a temporary folder, otherwise in memory or on the null device."""
    try:
        return cast(BinaryIO, tempfile.TemporaryFile())
    except OSError:
        if hasattr(os, "memfd_create"):
            return os.fdopen(os.memfd_create("tinysearch"), "w+b")
        return Path(os.devnull).open("w+b")


def worker_log() -> BinaryIO:
    """Return a temporary file for the log of a worker process.

    Raises:
        WorkerError: if no folder for temporary files can be used, which Keras needs to train and to save a model.
    """
    try:
        return cast(BinaryIO, tempfile.TemporaryFile())
    except OSError as error:
        raise WorkerError(
            f"training needs a folder for temporary files: {error.strerror or error}; free some space there, or set "
            f"TMPDIR to a folder that can be written"
        ) from None
