"""One worker process, as its parent sees it; ``child`` is the other end."""

from __future__ import annotations

import queue
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass

from tinysearch.training.job import Job, Resources
from tinysearch.workers.piped import Message, Piped


class Process(Piped):
    """One worker process. A thread puts its messages into an inbox.

    Args:
        trainer: Training function as ``module:function``.
        resources: Resources that a training may use.
        inbox: Queue that receives the messages of the process and a last one when it ends.
        environment: Environment variables to add to those of this process.
        slot: Index of the process among those of its executor.

    Raises:
        OSError: if the process cannot be started.
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
        """Seconds since the process began its last job."""
        return time.monotonic() - self._began

    def begin(self, job: Job) -> None:
        """Begin a job. The process must have reported that it is ready."""
        self.trainings += 1
        self.silence = 0.0
        self._began = time.monotonic()
        self.send(job.to_dict(), job.state)

    def give_up(self) -> None:
        """Kill the process because it has stalled."""
        self.stalled = True
        self.kill()

    def death(self) -> Death:
        """Return how the process ended. Called after the message about its end."""
        code = self.exit_code()
        reason = "no epoch was finished for too long" if self.stalled else _ending(code)
        return Death(reason, self.tail(), self.seconds, stalled=self.stalled, unready=not self.ready, code=code)


@dataclass(frozen=True, slots=True)
class Death:
    """How a process ended.

    Args:
        reason: Description for the user.
        log: The end of the log of the process.
        seconds: Seconds since its last job began.
        stalled: Whether it was killed because it finished no epoch for too long.
        unready: Whether it ended before it was ready for a job.
        code: Exit code; the negative number of the signal that killed it.
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
