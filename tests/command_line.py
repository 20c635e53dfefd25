"""The command line, run within this process."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HEAVY = {"tensorflow", "keras", "keras_tuner"}


def called(folder: Path, environment: dict[str, str], *words: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a process would: with streams, a folder and an environment of its own."""
    from tinysearch.cli.app import app

    arguments = [*map(str, words)]
    streams = [io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2)]
    code: Any = 0
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in os.environ.keys() - environment.keys():
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        for name, stream in zip(("stdin", "stdout", "stderr"), (io.StringIO(), *streams), strict=True):
            patch.setattr(sys, name, stream)
        try:
            app(arguments, prog_name="tinysearch")
        except SystemExit as ending:
            code = ending.code or 0
    said = [stream.buffer.getvalue().decode() for stream in streams]  # type: ignore[attr-defined]
    return subprocess.CompletedProcess(arguments, code, *said)


@contextlib.contextmanager
def without_heavy_packages() -> Iterator[None]:
    """Make it an error to load TensorFlow, Keras or KerasTuner, were they loaded before or not."""
    with pytest.MonkeyPatch.context() as patch:
        for name in (*HEAVY, *sys.modules):
            if name.split(".")[0] in HEAVY:
                patch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
            elif name.startswith("tinysearch.") and HEAVY & vars(sys.modules[name]).keys():
                patch.delitem(sys.modules, name)
        yield
