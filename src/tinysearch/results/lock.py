"""The lock of a run: one process carries it out, whoever else may read."""

from __future__ import annotations

import contextlib
import os
import socket
from pathlib import Path

import filelock

from tinysearch.errors import RunError, StoreWriteError

HOLDER = "run.pid"


def holder(folder: Path) -> str | None:
    """Return which process carries out a run, in words; None if none does, as far as this machine can know.

    The lock itself is not touched: to try it would keep a run from beginning at that moment.

    Args:
        folder: The run's folder.
    """
    try:
        text = (folder / HOLDER).read_text(encoding="utf-8").strip()
        process, host = int(text.split()[1]), text.split()[3]
    except (OSError, UnicodeDecodeError, ValueError, IndexError):
        return None
    if host == socket.gethostname() and os.name == "posix":
        try:
            os.kill(process, 0)
        except PermissionError:
            pass
        except (OSError, OverflowError):
            return None
    return text


class RunLock:
    """Held by the process that carries out a run.

    It is a lock of the operating system, which frees it when its holder ends, however that came about: a lock can
    not be left behind. Who holds it is written beside it, for others to read.

    Args:
        folder: The run's folder; it is made if it is missing.
        run: Name of the run.

    Raises:
        RunError: if another process, or another run of this one, holds the lock.
        StoreWriteError: if there is no place for it.
    """

    def __init__(self, folder: Path, run: str) -> None:
        self._lock = filelock.FileLock(folder / "run.lock", timeout=0, thread_local=False)
        self._holder = folder / HOLDER
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout:
            raise RunError(
                f"run {run!r} is being carried out by {self._who()}; wait for it, stop it, or give another --name"
            ) from None
        except OSError as error:
            raise StoreWriteError(
                f"the folder {folder} cannot be written ({error}); free some space or fix it"
            ) from None
        with contextlib.suppress(OSError):
            self._holder.write_text(f"process {os.getpid()} on {socket.gethostname()}\n", encoding="utf-8")

    def release(self) -> None:
        """Let go of the run; does nothing if that was done before."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _who(self) -> str:
        with contextlib.suppress(OSError, UnicodeDecodeError):
            return self._holder.read_text(encoding="utf-8").strip() or "another process"
        return "another process"
