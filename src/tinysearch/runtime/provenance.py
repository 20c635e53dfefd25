"""On what something was measured: versions, and the commit of tinysearch where it is known."""

from __future__ import annotations

import functools
import platform
import subprocess
from importlib import metadata
from pathlib import Path

from tinysearch.runtime.backend import backend

_PACKAGES = ("tinysearch", "keras", "keras-tuner", "numpy")


@functools.cache
def provenance() -> dict[str, str | None]:
    """Return the versions of Python and of the packages that results depend on, Keras's backend, machine and commit.

    Nothing is imported for it. The commit is known only where tinysearch runs from a git checkout of its own; it
    ends in ``-dirty`` if files differ from the commit.
    """
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for package in (backend(), *_PACKAGES):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    return {
        **versions,
        "backend": backend(),
        "machine": f"{platform.system()} {platform.machine()}",
        "commit": _commit(),
    }


def _commit() -> str | None:
    root = Path(__file__).resolve().parents[3]
    if not (root / ".git").exists() or not (root / "pyproject.toml").exists():
        return None
    try:
        head = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return f"{head}-dirty" if changed else head


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
