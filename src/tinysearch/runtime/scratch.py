"""Temporary files, with alternatives if no folder for them can be used."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import BinaryIO, cast

from tinysearch.errors import WorkerError


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
