"""The folder of a deployment, with the digests of its files."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tinysearch.errors import InputError
from tinysearch.runtime.paths import local


class Folder:
    """The folder that a deployment is written to.

    Args:
        path: Path of the folder; created if it does not exist. A leading ``~`` is the home of a user.

    Raises:
        InputError: if the folder cannot be created, or the path is a URL.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = local(path, "a deployment")
        self._written: list[Path] = []
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise unwritable(self.path, error) from None

    def write(self, name: str, content: str | bytes) -> Path:
        """Write a file.

        Raises:
            InputError: if the file cannot be written.
        """
        path = self.path / name
        try:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        except OSError as error:
            raise unwritable(path, error) from None
        self._written.append(path)
        return path

    def add(self, name: str) -> None:
        """Register a file, or all files of a folder, that other code has written."""
        path = self.path / name
        self._written += sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]

    def files(self) -> dict[str, dict[str, object]]:
        """Return the size and SHA-256 of each written file, by name."""
        return {
            path.relative_to(self.path).as_posix(): {
                "bytes": path.stat().st_size,
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
            for path in self._written
        }


def unwritable(path: Path, error: OSError) -> InputError:
    """Return the error for a path that cannot be written."""
    return InputError(f"{path} cannot be written ({error.strerror or error}); give another `folder=`")
