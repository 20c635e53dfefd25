"""Schedules jobs on hosts. Pure logic: nothing here calls Ray."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinysearch.errors import WorkerError
from tinysearch.workers.ray.cluster import Cluster, HostSaid
from tinysearch.workers.ray.host import Report

# Number of hosts in a row that cannot be created or cannot train, with no finished training in between, until an error.
MOST_BROKEN = 3
# Seconds without any message, heartbeats included, after which a host is considered lost.
SILENCE = 180.0

# Callback for events: called with the kind of the event, bytes, and plain values.
Tell = Callable[..., None]


@dataclass
class _Task:
    """A job, its host, and the state from which it resumes."""

    job: Mapping[str, Any]
    state: bytes | None
    host: int | None = None


@dataclass
class _Place:
    """A host: its machine and environment once it is ready, its jobs, and the seconds since its last message."""

    about: Mapping[str, Any] | None = None
    jobs: set[int] = field(default_factory=set)
    silence: float = 0.0


class Pool:
    """Scheduler that assigns jobs to hosts, starts as many hosts as the jobs need, and moves jobs away from lost hosts.

    A job whose node is lost resumes on another node from its last known state, without an event. If a host ends while
    its node is alive, its jobs may be the cause: they are reported as lost.

    Args:
        cluster: The cluster that runs the hosts.
        workers: Maximum number of trainings at a time.
        slots: Number of trainings that each host runs at a time.
        expected: Estimate, before any host is ready, of the number of trainings that fit on the cluster.
        version: Version of tinysearch that all nodes must have.
        tell: Callback that receives events.
    """

    def __init__(
        self, cluster: Cluster, workers: int, slots: int, expected: int, version: str | None, tell: Tell
    ) -> None:
        self._cluster = cluster
        self._workers = workers
        self._slots = slots
        self._expected = expected
        self._version = version
        self._tell = tell
        self._hosts: dict[int, _Place] = {}
        self._tasks: dict[int, _Task] = {}
        self._waiting: deque[int] = deque()
        self._names: list[str] = []
        self._count = 0
        self._broken = 0
        self._unready = 0

    @property
    def capacity(self) -> int:
        """Maximum number of trainings at a time; an estimate until hosts are ready."""
        return min(self._workers, max(self._expected, self._ready_hosts * self._slots))

    def prepare(self, count: int) -> None:
        """Start hosts until there are enough for ``count`` trainings at a time."""
        for _ in range(math.ceil(min(count, self._workers) / self._slots) - len(self._hosts)):
            host, self._count = self._count, self._count + 1
            self._hosts[host] = _Place()
            self._cluster.start(host)

    def share(self, name: str, path: str) -> None:
        """Make the array of a file available to all hosts."""
        if name not in self._names:
            self._names.append(name)
            self._cluster.keep(name, path)
            for host, place in self._hosts.items():
                if place.about is not None:
                    self._cluster.share(host, name)

    def submit(self, number: int, job: Mapping[str, Any], state: bytes | None) -> None:
        """Begin a job, or queue it until a host is free."""
        self._tasks[number] = _Task(job, state)
        self._waiting.append(number)
        self.prepare(len(self._tasks))
        self._begin_waiting()

    def cancel(self, number: int) -> None:
        """End a job."""
        task = self._forget(number)
        if task is None:
            return
        if task.host is None:
            self._waiting.remove(number)
        else:
            self._cluster.cancel(task.host, number)
        self._begin_waiting()

    def passed(self, seconds: float) -> None:
        """Advance the clock. Hosts that have been silent for too long are considered lost."""
        for host, place in list(self._hosts.items()):
            place.silence += seconds
            if place.about is not None and place.silence > SILENCE:
                self._cluster.end(host)
                self._lost(HostSaid(host, ended=f"a worker sent no message for {SILENCE:.0f} seconds", node_lost=True))
        self._begin_waiting()

    def heard(self, said: HostSaid) -> None:
        """Handle a message about a host.

        Raises:
            WorkerError: if the cluster cannot train any candidate.
        """
        self._hosts[said.host].silence = 0.0
        if said.about is not None:
            self._ready(said.host, said.about)
        for report in said.reports:
            self._reported(said.host, report)
        if said.ended is not None:
            self._lost(said)
        self._begin_waiting()

    def _ready(self, host: int, about: Mapping[str, Any]) -> None:
        theirs = about["environment"].get("tinysearch")
        if theirs != self._version:
            raise WorkerError(
                f"{about['machine']} has tinysearch {theirs}, and this machine {self._version}; all machines of a "
                f"cluster need the same version"
            )
        self._hosts[host].about = about
        self._unready = 0
        for name in self._names:
            self._cluster.share(host, name)
        self._tell("capacity", count=self.capacity, ready=self._ready_hosts, about=dict(about))

    def _reported(self, host: int, report: Report) -> None:
        kind, number, values, payload = report
        task = self._tasks.get(number)
        if task is None or task.host != host:
            # The job was cancelled, or has moved to another host.
            return
        if kind == "epoch":
            task.state = payload or task.state
            self._tell("epoch", payload, handle=number, **values)
            return
        self._forget(number)
        if kind == "done":
            self._broken = 0
        elif kind == "broken":
            self._replace(host, values["message"])
            kind, values = "lost", {"reason": values["message"]}
        self._tell(kind, payload, handle=number, **values)

    def _replace(self, host: int, reason: str) -> None:
        """End a host that cannot train anything, and start another one."""
        self._cluster.end(host)
        self._lost(HostSaid(host, ended=reason, unmade=True))

    def _lost(self, said: HostSaid) -> None:
        place = self._hosts.pop(said.host)
        for number in sorted(place.jobs, reverse=True):
            if said.node_lost or said.unmade:
                self._tasks[number].host = None
                self._waiting.appendleft(number)
            else:
                self._forget(number)
                self._tell("lost", handle=number, reason=f"a worker of the cluster has ended: {said.ended}")
        if said.unmade or place.about is None:
            self._broken += said.unmade and not said.node_lost
            # A lost node may end many hosts that were not ready yet.
            self._unready += 1
            if self._broken >= MOST_BROKEN or self._unready > MOST_BROKEN * math.ceil(self._workers / self._slots):
                raise WorkerError(
                    f"the cluster cannot train: {said.ended}. All its machines need tinysearch with its dependencies, "
                    f"and space for temporary files"
                )
        self._expected -= self._slots
        self.prepare(len(self._tasks))
        self._tell("capacity", count=self.capacity, ready=self._ready_hosts)

    @property
    def _ready_hosts(self) -> int:
        return sum(place.about is not None for place in self._hosts.values())

    def _begin_waiting(self) -> None:
        while self._waiting:
            free = [(len(place.jobs), host) for host, place in self._hosts.items() if place.about is not None]
            if not free or min(free)[0] >= self._slots:
                return
            host = min(free)[1]
            number = self._waiting.popleft()
            task = self._tasks[number]
            task.host = host
            self._hosts[host].jobs.add(number)
            self._cluster.begin(host, number, task.job, task.state)

    def _forget(self, number: int) -> _Task | None:
        task = self._tasks.pop(number, None)
        if task is not None and task.host in self._hosts:
            self._hosts[task.host].jobs.discard(number)
        return task
