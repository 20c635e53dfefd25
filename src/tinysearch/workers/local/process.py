"""One worker process, seen from its parent; ``child`` is the other end."""

from __future__ import annotations

import contextlib
import json
import multiprocessing.spawn
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.errors import CostMismatchError
from tinysearch.results.record import Epoch, Measurement
from tinysearch.runtime.scratch import worker_log
from tinysearch.training.job import EpochWatcher, Job

# The path is the parent's, whatever lies in the working directory.
_START = "import sys; sys.path[:] = sys.argv[1:]; from tinysearch.workers.local.child import main; main()"
_LOG_TAIL = 2_000


class DiedError(Exception):
    """A process ended in the middle of its work."""

    def __init__(self, reason: str, log: str, seconds: float, *, stalled: bool, unready: bool, code: int) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.log = log
        self.seconds = seconds
        self.stalled = stalled
        self.unready = unready

    @property
    def report(self) -> str:
        """Reason and log."""
        return f"{self.reason}\n{self.log}".strip()


class Process:
    """One worker process, seen from its parent; see ``child`` for the other end."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self._log = worker_log()
        self._popen = subprocess.Popen(
            [multiprocessing.spawn.get_executable(), "-c", _START, *map(str, sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        self.trainings = 0
        self.stalled = False
        self._ready = False
        self._ending = threading.Lock()
        self._began = time.monotonic()
        self._send(settings)

    @property
    def pid(self) -> int:
        """Identifier of the process."""
        return self._popen.pid

    @property
    def over(self) -> bool:
        """Whether the process has ended."""
        return self._popen.poll() is not None

    def train(self, job: Job, data: TrainingData, stall_seconds: float, on_epoch: EpochWatcher | None) -> Measurement:
        """Have a job done.

        Raises:
            DiedError: if the process ends before the job does.
            CostMismatchError: if it finds one.
        """
        self._began = time.monotonic()
        watchdog = _Watchdog(stall_seconds, self._give_up)
        try:
            if not self._ready:
                self._hand_over(data)
                self._next()
                self._ready = True
            watchdog.reset()
            self._send(job.to_dict())
            self.trainings += 1
            while True:
                message = self._next()
                watchdog.reset()
                if message["event"] == "done":
                    measurement = Measurement.from_dict(message["measurement"])
                    return replace(measurement, log=self._tail()) if measurement.failure else measurement
                if message["event"] == "mismatch":
                    raise CostMismatchError(message["message"])
                if on_epoch is not None:
                    on_epoch(message["number"], Epoch(**message["epoch"]))
        finally:
            watchdog.stop()

    def kill(self) -> None:
        """Kill the process."""
        self._popen.kill()

    def end(self) -> None:
        """Kill the process if need be, and free what it held.

        A thread that waits for the process in ``train`` sees its death; it may end it once more.
        """
        with self._ending:
            self._popen.kill()
            self._popen.wait()
            for stream in (self._popen.stdin, self._popen.stdout):
                # What was not sent any more has nowhere to go.
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
            self._log.close()

    def _give_up(self) -> None:
        self.stalled = True
        self._popen.kill()

    def _send(self, message: dict[str, Any]) -> None:
        self._write(json.dumps(message).encode() + b"\n")

    def _hand_over(self, data: TrainingData) -> None:
        for images in _parts(data):
            self._write(images.pixels.data.cast("B"))
            self._write(images.labels.data.cast("B"))
        if data.groups is not None:
            self._write(data.groups.data.cast("B"))
        if data.test is not None:
            self._write(data.test.data.cast("B"))

    def _write(self, content: bytes | memoryview) -> None:
        assert self._popen.stdin is not None  # noqa: S101
        # If the process is gone, reading its answer says why.
        with contextlib.suppress(OSError, ValueError):
            self._popen.stdin.write(content)
            self._popen.stdin.flush()

    def _next(self) -> dict[str, Any]:
        assert self._popen.stdout is not None  # noqa: S101
        try:
            line = self._popen.stdout.readline()
        except (OSError, ValueError):  # It was ended by another thread.
            line = b""
        if not line.endswith(b"\n"):
            raise self._death()
        message: dict[str, Any] = json.loads(line)
        return message

    def _death(self) -> DiedError:
        code = self._popen.wait()
        reason = "no epoch was finished for too long" if self.stalled else _ending(code)
        seconds = time.monotonic() - self._began
        return DiedError(reason, self._tail(), seconds, stalled=self.stalled, unready=not self._ready, code=code)

    def _tail(self) -> str:
        # The place in the file is the child's too, but after this it writes no more.
        with contextlib.suppress(OSError, ValueError):
            self._log.seek(0, 2)
            self._log.seek(max(0, self._log.tell() - _LOG_TAIL))
            return self._log.read().decode(errors="replace").strip()
        return ""


class _Watchdog:
    """Calls a function when it was not reset for some time.

    It counts the time in ticks that it has seen itself: while all of it is stopped (Ctrl-Z, a laptop asleep), nothing
    has stalled. Only its own thread counts, so no reset can be lost to a tick of the same moment.
    """

    def __init__(self, seconds: float, bite: Callable[[], None]) -> None:
        self._seconds = seconds
        self._bite = bite
        self._reset = threading.Event()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def reset(self) -> None:
        self._reset.set()

    def stop(self) -> None:
        """Return when it can bite no more."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        tick = min(1.0, self._seconds / 10)
        left = self._seconds
        while not self._over.wait(tick):
            left = left - tick
            if self._reset.is_set():
                self._reset.clear()
                left = self._seconds
            if left <= 0:
                self._bite()
                return


def described(data: TrainingData) -> dict[str, Any]:
    """Return what the other end needs to know to read the images."""
    parts = _parts(data)
    test = None if data.test is None else {"pixels": data.test.shape, "dtype": str(data.test.dtype)}
    return {
        "input_shape": data.task.input_shape,
        "classes": data.task.classes,
        "full_scale": data.full_scale,
        "parts": [
            {"pixels": images.pixels.shape, "labels": images.labels.shape, "dtype": str(images.pixels.dtype)}
            for images in parts
        ],
        "split": None if data.whole is None else data.split.to_dict(),
        "holds_out": data.validation is not None,
        "groups": None if data.groups is None else data.groups.shape,
        "test": test,
    }


def _parts(data: TrainingData) -> list[Images]:
    """Return the images to send: all of them, which the other end divides, or else those of each part."""
    parts = (data.whole,) if data.whole is not None else (data.train, data.validation)
    return [images for images in parts if images is not None]


def _ending(code: int) -> str:
    if code >= 0:
        return f"the worker process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"the worker process was killed by {name}{hint}"
