"""One worker process, seen from its parent; ``child`` is the other end."""

from __future__ import annotations

import contextlib
import json
import multiprocessing.spawn
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.runtime.scratch import worker_log
from tinysearch.training.job import Job, Resources

# The path is the parent's, whatever lies in the working directory.
_START = "import sys; sys.path[:] = sys.argv[1:]; from tinysearch.workers.local.child import main; main()"
_LOG_TAIL = 2_000


@dataclass(frozen=True, slots=True)
class Message:
    """What a process has said: an event with its values, and bytes; no event where the process has ended."""

    process: Process
    event: str | None
    values: Mapping[str, Any]
    payload: bytes | None = None


class Process:
    """One worker process. Whatever it says, its end included, is put into the inbox by a thread.

    Args:
        trainer: What trains, as ``module:function``.
        resources: What a training may use.
        inbox: Takes its messages.
        environment: Variables that it has beside those of this process.
        slot: Its place among the processes of an executor.

    Raises:
        OSError: if it cannot be started.
    """

    def __init__(
        self,
        trainer: str,
        resources: Resources,
        inbox: queue.SimpleQueue[Message],
        environment: Mapping[str, str],
        slot: int = 0,
    ) -> None:
        self._log = worker_log()
        try:
            self._popen = subprocess.Popen(
                [multiprocessing.spawn.get_executable(), "-c", _START, *map(str, sys.path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env={**os.environ, **environment},
            )
        except BaseException:
            self._log.close()
            raise
        self.slot = slot
        self.resources = resources
        self.trainings = 0
        self.ready = False
        self.stalled = False
        self.silence = 0.0
        self._began = time.monotonic()
        self._inbox = inbox
        self._reader = threading.Thread(target=self._read, daemon=True, name=f"worker-{self.pid}")
        self._reader.start()
        memory = resources.memory_bytes
        self._send({"trainer": trainer, "threads": resources.threads, "memory_bytes": memory})

    @property
    def pid(self) -> int:
        """Identifier of the process."""
        return self._popen.pid

    @property
    def over(self) -> bool:
        """Whether the process has ended."""
        return self._popen.poll() is not None

    @property
    def seconds(self) -> float:
        """Seconds since its last job was begun."""
        return time.monotonic() - self._began

    def begin(self, job: Job) -> None:
        """Begin a job; called when the process has said that it is ready."""
        self.trainings += 1
        self.silence = 0.0
        self._began = time.monotonic()
        self._send(job.to_dict(), job.state)

    def give_up(self) -> None:
        """Kill the process because it has stalled."""
        self.stalled = True
        self._popen.kill()

    def kill(self) -> None:
        """Kill the process."""
        self._popen.kill()

    def end(self) -> None:
        """Kill the process if need be, and free what it held."""
        self._popen.kill()
        self._popen.wait()
        self._reader.join()
        for stream in (self._popen.stdin, self._popen.stdout):
            # What was not sent any more has nowhere to go.
            with contextlib.suppress(OSError):
                if stream is not None:
                    stream.close()
        self._log.close()

    def death(self) -> Death:
        """Return how the process ended; called when its end was heard of."""
        code = self._popen.wait()
        reason = "no epoch was finished for too long" if self.stalled else _ending(code)
        return Death(reason, self.tail(), self.seconds, stalled=self.stalled, unready=not self.ready, code=code)

    def tail(self) -> str:
        """Return the end of what it has written; a job that fails is told with it."""
        # The place in the file is the child's too, but when this is called it writes no more.
        with contextlib.suppress(OSError, ValueError):
            self._log.seek(0, 2)
            self._log.seek(max(0, self._log.tell() - _LOG_TAIL))
            return self._log.read().decode(errors="replace").strip()
        return ""

    def _send(self, message: Mapping[str, Any], payload: bytes | None = None) -> None:
        assert self._popen.stdin is not None  # noqa: S101
        # If the process is gone, its end says why.
        with contextlib.suppress(OSError, ValueError):
            self._popen.stdin.write(framed(message, payload))
            self._popen.stdin.flush()

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


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended.

    Args:
        reason: In words.
        log: The end of what it wrote.
        seconds: Since its last job was begun.
        stalled: Whether it was killed because it was silent for too long.
        unready: Whether it ended before it was ready for a job.
        code: Its exit code; the negative number of the signal that killed it.
    """

    reason: str
    log: str
    seconds: float
    stalled: bool
    unready: bool
    code: int

    @property
    def report(self) -> str:
        """Reason and log."""
        return f"{self.reason}\n{self.log}".strip()


def framed(message: Mapping[str, Any], payload: bytes | None = None) -> bytes:
    """Return a message as both ends send it: a line of JSON that tells how many bytes follow it."""
    line = json.dumps({**message, "bytes": None if payload is None else len(payload)}).encode()
    return line + b"\n" + (payload or b"")


def _ending(code: int) -> str:
    if code >= 0:
        return f"the worker process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"the worker process was killed by {name}{hint}"
