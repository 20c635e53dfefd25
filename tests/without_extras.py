"""A Python that has what ``pip install tinysearch`` brings, and nothing that its extras or other packages do.

What the pages show must work there, unless a page says otherwise. It holds for all processes that are started with the
environment that ``hidden`` returns.
"""

from __future__ import annotations

import importlib.metadata
import os
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import tinysearch

SOURCE = Path(tinysearch.__file__).parents[1]
SITE = """
import sys


class Hidden:
    names = {names}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"{{name}} is not among what tinysearch depends on", name=name)
        return None


sys.meta_path.insert(0, Hidden())
"""


def brought(*names: str) -> set[str]:
    """Return distributions and all that they need, extras only where they are asked for."""
    found: set[str] = set()
    left = [Requirement(name) for name in names]
    seen: set[tuple[str, tuple[str, ...]]] = set()
    while left:
        one = left.pop()
        name = canonicalize_name(one.name)
        if (name, tuple(sorted(one.extras))) in seen:
            continue
        seen.add((name, tuple(sorted(one.extras))))
        found.add(name)
        try:
            needed = importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        for line in needed:
            more = Requirement(line)
            # What does not ask for an extra holds for all of them.
            if more.marker is None or any(more.marker.evaluate({"extra": extra}) for extra in ("", *one.extras)):
                left.append(more)
    return found


def hidden_modules(*besides: str) -> set[str]:
    """Return the names of the installed modules that only other distributions have."""
    kept = brought("tinysearch", *besides)
    return {
        module
        for module, owners in importlib.metadata.packages_distributions().items()
        if not kept & {canonicalize_name(owner) for owner in owners}
    }


def hidden(folder: Path, *besides: str) -> dict[str, str]:
    """Return the environment of a process that finds only what tinysearch depends on.

    Args:
        folder: Where a file of this is written.
        besides: Distributions that it finds too, for those who test with their help.
    """
    folder.mkdir(parents=True, exist_ok=True)
    code = SITE.format(names=sorted(hidden_modules(*besides)))
    (folder / "sitecustomize.py").write_text(code, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(folder), str(SOURCE)])}
