"""Files for the moment, wherever they can be had."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from tinysearch.errors import WorkerError


def scratch_file() -> BinaryIO:
    """Return a file that vanishes when it is closed; if no folder has room, in memory, or as a last resort nowhere."""
    try:
        return cast(BinaryIO, tempfile.TemporaryFile())
    except OSError:
        if hasattr(os, "memfd_create"):
            return os.fdopen(os.memfd_create("tinysearch"), "w+b")
        return Path(os.devnull).open("w+b")


def worker_log() -> BinaryIO:
    """Return a file for what a worker process writes.

    Raises:
        WorkerError: if there is no folder for temporary files, which Keras needs to train and to save a model.
    """
    try:
        return cast(BinaryIO, tempfile.TemporaryFile())
    except OSError as error:
        raise WorkerError(
            f"training needs a folder for temporary files: {error.strerror or error}; free some space there, or set "
            f"TMPDIR to a folder that can be written"
        ) from None
