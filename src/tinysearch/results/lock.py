"""The lock of a run: one process carries it out, whoever else may read."""

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
# Seconds between two signs of life of a process that carries out a run.
BEAT = 10.0
# Seconds without one after which it counts as dead: it may be busy with other things for a while.
SILENCE = 180.0


@dataclass(frozen=True, slots=True)
class Holder:
    """The process that carries out a run, as the file beside the lock says.

    Args:
        process, host: Where it is.
        started: When it was started, in the words of its system; None if that is not known.
        beat: The last sign of life; None if it gives none, as those of earlier versions.
    """

    process: int
    host: str
    started: str | None = None
    beat: int | None = None

    def __str__(self) -> str:
        return f"process {self.process} on {self.host}"

    @property
    def gone(self) -> bool:
        """Whether it is known to be no more, or its number to be another process's by now."""
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
    """Return which process carries out a run; None if none does, as far as can be seen at once.

    The lock itself is not touched: to try it would keep a run from beginning at that moment.

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
    """Tells over time whether a run is being carried out, on whichever machine.

    A process on another machine cannot be asked. It gives a sign of life every ``BEAT`` seconds; one that was not
    seen to give any for ``SILENCE`` seconds is dead. Clocks of machines differ, so only that of this one counts.

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
        """Return which process carries out the run now; None if none does. ``silent`` is one that has become so."""
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
    """Held by the process that carries out a run.

    It is a lock of the operating system, which frees it when its holder ends, however that came about: a lock can
    not be left behind. Who holds it is written beside it, for others to read.

    Args:
        folder: The run's folder; it is made if it is missing.
        run: Name of the run.
        clock: Returns seconds.

    Raises:
        RunError: if another process, or another run of this one, holds the lock.
        StoreWriteError: if there is no place for it.
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
        """Give a sign of life, if it is time for one; called at least every few seconds while there is work."""
        if self._lock.is_locked and self._clock() - self._last >= BEAT:
            self._last = self._clock()
            with contextlib.suppress(OSError):
                os.utime(self._holder)

    def release(self) -> None:
        """Let go of the run; does nothing if that was done before."""
        if self._lock.is_locked:
            with contextlib.suppress(OSError):
                self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _who(self) -> str:
        with contextlib.suppress(OSError, UnicodeDecodeError, IndexError):
            return self._holder.read_text(encoding="utf-8").splitlines()[0].strip() or "another process"
        return "another process"


def _started(process: int) -> str | None:
    """Return when a process was started, in ticks since this boot of the system; None where that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        # Its name, in brackets, may hold anything.
        ticks = (
            Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[19]
        )
    except (OSError, ValueError, IndexError):
        return None
    return f"{boot} {ticks}"
