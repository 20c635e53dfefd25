"""The lock of a run, which ensures that only one process executes it while others may read."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import filelock

from tinysearch.errors import RunError, StoreWriteError

HOLDER = "run.pid"
# Seconds between two heartbeats of a process that executes a run.
BEAT = 10.0
# Seconds without a heartbeat after which a process counts as dead; a live process may be busy for a while.
SILENCE = 180.0


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that executes a run, as written in the file next to the lock.

    Args:
        process, host: Process id and host name.
        started: Boot id and start time in clock ticks, see ``_started``; None if not known.
        beat: Time of the last heartbeat, as the modification time of the file in nanoseconds; None for processes of
            earlier versions, which send none.
    """

    process: int
    host: str
    started: str | None = None
    beat: int | None = None

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    @property
    def gone(self) -> bool:
        """Whether the process is known to have ended, including if another process has its id by now."""
        if self.host != socket.gethostname() or os.name != "posix":
            return False
        try:
            os.kill(self.process, 0)
        except PermissionError:
            pass
        except (OSError, OverflowError):
            return True
        found = _started(self.process)
        return None not in (found, self.started) and found != self.started


def holder(folder: Path) -> Holder | None:
    """Return the process that executes a run; None if none does, as far as can be seen without waiting.

    The lock itself is not touched: trying it would prevent a run from starting at that moment.

    Args:
        folder: The run's folder.
    """
    try:
        words, *facts = (folder / HOLDER).read_text(encoding="utf-8").splitlines()
        process, host = int(words.split()[1]), words.split()[3]
        beat = (folder / HOLDER).stat().st_mtime_ns if facts else None
    except (OSError, ValueError, IndexError):
        return None
    found = Holder(process, host, facts[0].removeprefix("started ") or None if facts else None, beat)
    return None if found.gone else found


class HolderWatch:
    """Repeated check whether a process on any machine executes a run.

    A process on another machine cannot be queried. It writes a heartbeat every ``BEAT`` seconds and counts as dead if
    none was seen for ``SILENCE`` seconds. Clocks of machines differ, so only the local clock is used.

    Args:
        folder: The run's folder.
        clock: Returns seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder = folder
        self._clock = clock
        self._seen: tuple[Holder, float] | None = None
        self.silent: Holder | None = None

    def look(self) -> Holder | None:
        """Return the process that executes the run; None if none does.

        Sets ``silent`` to the process that counts as dead because its heartbeats have stopped, else to None.
        """
        found, now = holder(self._folder), self._clock()
        self.silent = None
        if found is None:
            self._seen = None
        elif self._seen is None or self._seen[0] != found:
            self._seen = found, now
        elif found.beat is not None and now - self._seen[1] >= SILENCE:
            self.silent = found
        return None if self.silent else found


class RunLock:
    """The lock that the process executing a run holds.

    It is a lock of the operating system, which releases it when the process ends for any reason, so no stale lock can
    remain. A file next to it names the holder for other processes.

    Args:
        folder: The run's folder; created if missing.
        run: Name of the run.
        clock: Returns seconds.

    Raises:
        RunError: if another process, or another run of this one, holds the lock.
        StoreWriteError: if the folder cannot be written.
    """

    def __init__(self, folder: Path, run: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.run = run
        self._lock = filelock.FileLock(folder / "run.lock", timeout=0, thread_local=False)
        self._holder = folder / HOLDER
        self._clock = clock
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        except filelock.Timeout:
            raise RunError(
                f"run {run!r} is in use by {self._who()}; wait for it, stop it, or give another `name=`"
            ) from None
        except OSError as error:
            raise StoreWriteError(
                f"the folder {folder} cannot be written ({error}); free some space or fix it"
            ) from None
        self._last = self._clock()
        own = Holder(os.getpid(), socket.gethostname(), _started(os.getpid()))
        with contextlib.suppress(OSError):
            self._holder.write_text(f"{own}\nstarted {own.started or ''}\n", encoding="utf-8")

    def beat(self) -> None:
        """Write a heartbeat if one is due. Call it at least every few seconds during work."""
        if self._lock.is_locked and self._clock() - self._last >= BEAT:
            self._last = self._clock()
            with contextlib.suppress(OSError):
                os.utime(self._holder)

    def release(self) -> None:
        """Release the lock; do nothing if it was released before."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _who(self) -> str:
        with contextlib.suppress(OSError, UnicodeDecodeError, IndexError):
            return self._holder.read_text(encoding="utf-8").splitlines()[0].strip() or "another process"
        return "another process"


def _started(process: int) -> str | None:
    """Return the boot id of the system and the start time of a process in ticks since boot; None if not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # The process name, in parentheses, may hold any characters.
        ticks = (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        )
    except (OSError, ValueError, IndexError):
        return None
    return f"{boot} {ticks}"
