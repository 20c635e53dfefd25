"""Paths of the folders for the files of a run: its lock, its checkpoints, and the models of its best candidates."""

from __future__ import annotations

import re
from pathlib import Path

from tinysearch.space.architecture import digest

# Windows reserves these names for devices, with any extension.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
# Lower case only, because some file systems ignore case.
_PLAIN = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9_-])?")
_READABLE = 40


def folder(store: Path, run: str) -> Path:
    """Return the folder for the files of a run, different for each run and each store in the same folder.

    The folder of a store is named after its file, with the extension. The folder of a run has the name of the run; if
    that is not a safe folder name in lower case, it has the safe part of the name and a digest.

    >>> folder(Path("runs/tinysearch.db"), "mnist-10000-1").as_posix()
    'runs/tinysearch.db-runs/mnist-10000-1'
    >>> folder(Path("exp.sqlite"), "Exp 1").as_posix()
    'exp.sqlite-runs/exp-1+a11ff3962bed'
    """
    name = run
    if _PLAIN.fullmatch(run) is None or _DEVICE.fullmatch(run):
        readable = re.sub(r"[^a-z0-9]+", "-", run.lower()).strip("-")[:_READABLE]
        # The plus avoids collisions: safe names have none.
        name = f"{readable or 'run'}+{digest(run)}"
    return store.with_name(f"{store.name}-runs") / name


def old_folder(store: Path, run: str) -> Path:
    """Return the folder of earlier versions for the files of a run.

    Stores whose file names differ only in the extension share it.
    """
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run) is not None
    return store.with_name(f"{store.stem}-models") / (run if plain else f"run-{digest(run)}")
