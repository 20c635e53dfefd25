"""A local process that communicates by its standard streams: a worker, or the driver process of a cluster.

In both directions a message is a line of JSON with the number of bytes that follow it. The process ends when its
standard input is closed, in whichever way its parent ended.
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

# The import path is the parent's, so that files in the working directory cannot shadow modules.
_START = "import sys; sys.path[:] = sys.argv[1:]; from {module} import main; main()"
_LOG_TAIL = 2_000
_PR_SET_PDEATHSIG = 1


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a process: an event with values and optional bytes. The event is None if the process has ended."""

    process: Any
    event: str | None
    values: Mapping[str, Any]
    payload: bytes | None = None


class Piped:
    """A process that runs the function ``main`` of a module. A thread puts its messages into an inbox.

    Args:
        module: Full name of the module.
        inbox: Queue that receives the messages of the process and a last one when it ends.
        environment: Environment variables to add to those of this process.

    Raises:
        OSError: if the process cannot be started.
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
        """Send a message. If the process has ended, do nothing: the message about its end reports why."""
        assert self._popen.stdin is not None  # noqa: S101
        with contextlib.suppress(OSError, ValueError):
            self._popen.stdin.write(framed(message, payload))
            self._popen.stdin.flush()

    def kill(self) -> None:
        """Kill the process."""
        self._popen.kill()

    def end(self, patience: float = 0.0) -> None:
        """Wait up to ``patience`` seconds for the process to end, kill it if it has not, and free its resources."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._popen.wait(patience)
        self._popen.kill()
        self._popen.wait()
        self._reader.join()
        for stream in (self._popen.stdin, self._popen.stdout):
            # Data that is still buffered can no longer be sent.
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._log.close()

    def exit_code(self) -> int:
        """Wait for the end of the process; return its exit code, the negative number of a signal that killed it."""
        return self._popen.wait()

    def tail(self) -> str:
        """Return the end of the process's log, which is reported with a failed job."""
        # The child shares the file position, but it no longer writes when this is called.
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
    """Return an encoded message: a line of JSON with the number of payload bytes, then the payload."""
    line = json.dumps({**message, "bytes": None if payload is None else len(payload)}).encode()
    return line + b"\n" + (payload or b"")


def streams() -> tuple[BinaryIO, BinaryIO]:
    """Return the input and output streams for messages, and redirect what libraries print to the log."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return incoming, outgoing


def outlive_signals() -> None:
    """Ignore Ctrl-C and termination signals: the parent handles them and decides about running work."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)


def end_with_parent() -> None:
    """Have the system kill this process when its parent ends, where the system supports it."""
    if sys.platform == "linux":
        # The end of standard input also shows that the parent has ended, but a stopped process does not read it.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
