"""Where the files of a run lie: its lock, its checkpoints, and the models of its best few candidates."""

from __future__ import annotations

import re
from pathlib import Path

from tinysearch.space.architecture import digest

# Windows keeps these names for devices, whatever comes behind a dot.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?")
# In lower case, for there are file systems where case does not count.
_PLAIN = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9_-])?")
_READABLE = 40


def folder(store: Path, run: str) -> Path:
    """Return the folder for the files of a run, which no other run and no other store beside this one has.

    The folder of the store has the whole name of its file. That of the run has the run's name, or where this is no
    safe name for a folder, or differs from one in nothing but case, what is plain of it and a digest.

    >>> folder(Path("runs/tinysearch.db"), "mnist-10000-1").as_posix()
    'runs/tinysearch.db-runs/mnist-10000-1'
    >>> folder(Path("exp.sqlite"), "Exp 1").as_posix()
    'exp.sqlite-runs/exp-1+a11ff3962bed'
    """
    name = run
    if _PLAIN.fullmatch(run) is None or _DEVICE.fullmatch(run):
        readable = re.sub(r"[^a-z0-9]+", "-", run.lower()).strip("-")[:_READABLE]
        # No plain name has a plus.
        name = f"{readable or 'run'}+{digest(run)}"
    return store.with_name(f"{store.name}-runs") / name


def old_folder(store: Path, run: str) -> Path:
    """Return where earlier versions kept the files of a run: shared by stores whose names differ in their ending."""
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", run) is not None
    return store.with_name(f"{store.stem}-models") / (run if plain else f"run-{digest(run)}")
