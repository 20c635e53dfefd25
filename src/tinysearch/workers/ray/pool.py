"""Which host has which job, and what becomes of both: decisions without a word to Ray."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tinysearch.errors import WorkerError
from tinysearch.workers.ray.cluster import Cluster, HostSaid
from tinysearch.workers.ray.host import Report

# Hosts, one after another, that could not be made or could train nothing, with no training finished between.
MOST_BROKEN = 3
# Seconds after which a host is given up that says nothing, not even that there is nothing to say.
SILENCE = 180.0

# What is told: an event, plain values, and bytes.
Tell = Callable[..., None]


@dataclass
class _Task:
    """A job, where it is, and what it goes on from."""

    job: Mapping[str, Any]
    state: bytes | None
    host: int | None = None


@dataclass
class _Place:
    """A host: where it is, when that is known, and the jobs that it has."""

    about: Mapping[str, Any] | None = None
    jobs: set[int] = field(default_factory=set)
    silence: float = 0.0


class Pool:
    """Gives jobs to hosts, starts as many hosts as the jobs need, and hands jobs on from those that are gone.

    A job whose node is lost goes on elsewhere from its last known state, and nobody hears of it. A host that ends while
    its node lives may have died of its jobs: they are told as lost.

    Args:
        cluster: Has the hosts.
        workers: How many trainings at a time are wanted at most.
        slots: How many each host carries out.
        expected: How many there is room for, as far as is known before any host is ready.
        version: That of tinysearch, which all nodes must have.
        tell: Is told what happens.
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
        """How many trainings there can be at a time; until hosts are ready, how many they are expected to be."""
        return min(self._workers, max(self._expected, self._ready_hosts * self._slots))

    def prepare(self, count: int) -> None:
        """Have hosts started for so many trainings at a time, if there are not as many already."""
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
        """Begin a job, or have it wait for a host."""
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
        """Take note that time has passed: hosts that have been silent for too long are given up."""
        for host, place in list(self._hosts.items()):
            place.silence += seconds
            if place.about is not None and place.silence > SILENCE:
                self._cluster.end(host)
                self._lost(HostSaid(host, ended=f"nothing was heard of it for {SILENCE:.0f} seconds", node_lost=True))
        self._begin_waiting()

    def heard(self, said: HostSaid) -> None:
        """Take note of what a host has said.

        Raises:
            WorkerError: if nothing can be trained.
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
            # It was cancelled, or is somewhere else by now.
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
        """Have another host instead of one on which nothing can be trained."""
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
            # A node may take many with it that were not ready yet.
            self._unready += 1
            if self._broken >= MOST_BROKEN or self._unready > MOST_BROKEN * math.ceil(self._workers / self._slots):
                raise WorkerError(
                    f"the cluster cannot train: {said.ended}. All its machines need tinysearch with what it needs, and "
                    f"room for temporary files"
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
