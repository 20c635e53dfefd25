"""The environment of a training: what its results depend on besides its arguments, and more about where it ran."""

from __future__ import annotations

import contextlib
import functools
import platform
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tinysearch.runtime.backend import backend
from tinysearch.runtime.devices import accelerator
from tinysearch.runtime.versions import version_of


@dataclass(frozen=True, slots=True)
class Environment:
    """Environment of a training.

    Two trainings of one candidate with one seed on the same images give the same results if the ``decisive`` parts of
    their environments are equal. Only then are results reused and interrupted trainings resumed.

    Args:
        backend: Backend of Keras.
        versions: Version of each package by its name; None if unknown.
        machine: System and processor architecture, as in ``"Linux x86_64"``.
        threads: Number of threads of one training; None if unknown.
        python: Version of Python.
        commit: Commit of tinysearch if it ran from a git checkout, with the suffix ``-dirty`` if files differ from it.
        accelerator: Model of the usable GPUs; None without GPUs.
        processor: Model of the CPU, on which the last digits of results may depend; None if unknown.
    """

    backend: str | None
    versions: Mapping[str, str | None]
    machine: str | None
    threads: str | None = None
    python: str | None = None
    commit: str | None = None
    accelerator: str | None = None
    processor: str | None = None

    @classmethod
    def here(cls, threads: int | None = None) -> Environment:
        """Return the environment of this process, without importing the packages.

        Args:
            threads: Number of threads of one training.
        """
        found = _here()
        return found if threads is None else replace(found, threads=str(threads))

    @property
    def decisive(self) -> dict[str, str | None]:
        """The part on which results depend, as plain JSON values."""
        names = ("tinysearch", "keras", "numpy", *filter(None, (self.backend,)))
        return {
            **{name: self.versions.get(name) for name in names},
            "backend": self.backend,
            "machine": self.machine,
            "threads": self.threads,
            **({} if self.accelerator is None else {"accelerator": self.accelerator}),
        }

    def gives_equal_numbers(self, other: Environment) -> bool:
        """Return whether trainings in both environments give the same results; False if versions are unknown."""
        known = self.backend is not None and self.versions.get(self.backend) is not None
        return known and self.decisive == other.decisive

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as stored in a record."""
        return {
            "python": self.python,
            **self.versions,
            "backend": self.backend,
            "machine": self.machine,
            "commit": self.commit,
            **({} if self.threads is None else {"threads": self.threads}),
            **({} if self.accelerator is None else {"accelerator": self.accelerator}),
            **({} if self.processor is None else {"processor": self.processor}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Environment:
        """Create an environment from plain JSON values."""
        own = ("backend", "machine", "threads", "python", "commit", "accelerator", "processor")
        versions = {name: value for name, value in data.items() if name not in own}
        return cls(versions=versions, **{name: data.get(name) for name in own})


@functools.cache
def _here() -> Environment:
    name = backend()
    versions = {package: version_of(package) for package in (name, "tinysearch", "keras", "keras-tuner", "numpy")}
    machine = f"{platform.system()} {platform.machine()}"
    return Environment(
        name,
        versions,
        machine,
        python=platform.python_version(),
        commit=_commit(),
        accelerator=accelerator(),
        processor=_processor(),
    )


def _processor() -> str | None:
    """Return the model name of the CPU; None if unknown."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip() or None
    return platform.processor() or None


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
