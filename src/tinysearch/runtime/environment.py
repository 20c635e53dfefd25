"""What the numbers of a training depend on beside its arguments, and what else is worth knowing of where it ran."""

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
    """Where a training ran.

    Two trainings of one candidate with one seed on the same images give the same numbers if their environments have the
    same ``decisive`` part: results are reused, and interrupted trainings continued, only then.

    Args:
        backend: What Keras ran on.
        versions: Version of each package by its name; None where it is not known.
        machine: System and processor architecture, as in ``"Linux x86_64"``.
        threads: Threads of one training; None where it is not known.
        python: Version of Python.
        commit: Commit of tinysearch, where it ran from a git checkout; it ends in ``-dirty`` if files differ from it.
        accelerator: Model of the GPU that could be used; None for none.
        processor: Model of the processor, on which last digits may depend; None where it is not known.
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
        """Return that of this process. Nothing is imported for it.

        Args:
            threads: Threads of one training.
        """
        found = _here()
        return found if threads is None else replace(found, threads=str(threads))

    @property
    def decisive(self) -> dict[str, str | None]:
        """The part that numbers depend on, plain JSON values."""
        names = ("tinysearch", "keras", "numpy", *filter(None, (self.backend,)))
        return {
            **{name: self.versions.get(name) for name in names},
            "backend": self.backend,
            "machine": self.machine,
            "threads": self.threads,
            **({} if self.accelerator is None else {"accelerator": self.accelerator}),
        }

    def gives_equal_numbers(self, other: Environment) -> bool:
        """Whether trainings here and there give the same numbers, as far as is known; unknown versions do not."""
        known = self.backend is not None and self.versions.get(self.backend) is not None
        return known and self.decisive == other.decisive

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, as a record keeps them."""
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
        """Make an environment of plain JSON values."""
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
    """Return what the processor calls itself."""
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
