"""One worker process, seen from its parent; ``child`` is the other end."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.training.job import Job, Resources
from tinysearch.workers.piped import Message, Piped


class Process(Piped):
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
        super().__init__("tinysearch.workers.local.child", inbox, environment)
        self.slot = slot
        self.resources = resources
        self.trainings = 0
        self.ready = False
        self.stalled = False
        self.silence = 0.0
        self._began = time.monotonic()
        memory = resources.memory_bytes
        self.send({"trainer": trainer, "threads": resources.threads, "memory_bytes": memory})

    @property
    def seconds(self) -> float:
        """Seconds since its last job was begun."""
        return time.monotonic() - self._began

    def begin(self, job: Job) -> None:
        """Begin a job; called when the process has said that it is ready."""
        self.trainings += 1
        self.silence = 0.0
        self._began = time.monotonic()
        self.send(job.to_dict(), job.state)

    def give_up(self) -> None:
        """Kill the process because it has stalled."""
        self.stalled = True
        self.kill()

    def death(self) -> Death:
        """Return how the process ended; called when its end was heard of."""
        code = self.exit_code()
        reason = "no epoch was finished for too long" if self.stalled else _ending(code)
        return Death(reason, self.tail(), self.seconds, stalled=self.stalled, unready=not self.ready, code=code)


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


def _ending(code: int) -> str:
    if code >= 0:
        return f"the worker process ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = str(-code)
    hint = ", as the system does when memory runs out" if name == "SIGKILL" else ""
    return f"the worker process was killed by {name}{hint}"
