"""A process of this machine that is talked to by its standard streams: a worker, or what speaks to a cluster.

Both ways a message is a line of JSON, which tells how many bytes follow it. The process ends when its standard input is
closed, however its parent ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import multiprocessing.spawn
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from tinysearch.runtime.scratch import worker_log

# The path is the parent's, whatever lies in the working directory.
_START = "import sys; sys.path[:] = sys.argv[1:]; from {module} import main; main()"
_LOG_TAIL = 2_000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Message:
    """What a process has said: an event with its values, and bytes; no event where the process has ended."""

    process: Any
    event: str | None
    values: Mapping[str, Any]
    payload: bytes | None = None


class Piped:
    """A process that runs the function ``main`` of a module. Whatever it says is put into the inbox by a thread.

    Args:
        module: Full name of the module.
        inbox: Takes its messages, its end included.
        environment: Variables that it has beside those of this process.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(
        self, module: str, inbox: queue.SimpleQueue[Message], environment: Mapping[str, str] | None = None
    ) -> None:
        self._log = worker_log()
        try:
            self._popen = subprocess.Popen(
                [multiprocessing.spawn.get_executable(), "-c", _START.format(module=module), *map(str, sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={**os.environ, **(environment or {})},
            )
        except BaseException:
            self._log.close()
            raise
        self._inbox = inbox
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"worker-{self.pid}")
        self._reader.start()

    @property
    def pid(self) -> int:
        """Identifier of the process."""
        return self._popen.pid

    @property
    def over(self) -> bool:
        """Whether the process has ended."""
        return self._popen.poll() is not None

    def send(self, message: Mapping[str, Any], payload: bytes | None = None) -> None:
        """Send a message; if the process is gone, its end says why."""
        assert self._popen.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError, ValueError):
            self._popen.stdin.write(framed(message, payload))
            self._popen.stdin.flush()

    def kill(self) -> None:
        """Kill the process."""
        self._popen.kill()

    def end(self, patience: float = 0.0) -> None:
        """Free what the process held; it is killed if it has not ended after so many seconds."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(patience)
        self._popen.kill()
        self._popen.wait()
        self._reader.join()
        for stream in (self._popen.stdin, self._popen.stdout):
            # What was not sent any more has nowhere to go.
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._log.close()

    def exit_code(self) -> int:
        """Wait for the end of the process; return its exit code, the negative number of a signal that killed it."""
        return self._popen.wait()

    def tail(self) -> str:
        """Return the end of what it has written; a job that fails is told with it."""
        # The place in the file is the child's too, but when this is called it writes no more.
        with contextlib.suppress(OSError, ValueError):
            self._log.seek(0, 2)
            self._log.seek(max(0, self._log.tell() - _LOG_TAIL))
            return self._log.read().decode(errors="replace").strip()
        return ""

    def _read(self) -> None:
        assert self._popen.stdout is not None  # noqa: S101
        stream = self._popen.stdout
        with contextlib.suppress(OSError, ValueError):
            while (line := stream.readline()).endswith(b"\n"):
                values = json.loads(line)
                size = values.pop("bytes")
                payload = None if size is None else stream.read(size)
                if payload is not None and len(payload) < size:
                    break
                self._inbox.put(Message(self, values.pop("event"), values, payload))
        self._inbox.put(Message(self, None, {}))


def framed(message: Mapping[str, Any], payload: bytes | None = None) -> bytes:
    """Return a message as both ends send it: a line of JSON that tells how many bytes follow it."""
    line = json.dumps({**message, "bytes": None if payload is None else len(payload)}).encode()
    return line + b"\n" + (payload or b"")


def streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the streams on which a process hears and speaks; what libraries print goes to its log instead."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return incoming, outgoing


def outlive_signals() -> None:
    """Leave Ctrl-C and termination to the parent, which decides what becomes of the work under way."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def end_with_parent() -> None:
    """Have the system kill this process with its parent, where it can."""
    if sys.platform == "linux":
        # The end of standard input tells that the parent is gone, but a process that is stopped does not read it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
