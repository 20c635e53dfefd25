"""A cluster as the pool of its hosts sees it, so that what the pool decides can be tested without Ray."""

from __future__ import annotations

import abc
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tinysearch.errors import InputError, PluginError, check_type
from tinysearch.space.scalars import integer, real
from tinysearch.workers.ray.host import Report

LOCAL = "local"
AUTO = "auto"


@dataclass(frozen=True, slots=True)
class Share:
    """What each training may have of a node.

    Args:
        cpus: CPUs, as Ray counts them.
        gpus: GPUs, or a share of one.
    """

    cpus: float = 1.0
    gpus: float = 0.0

    def __str__(self) -> str:
        """Write it for people.

        >>> str(Share(cpus=1, gpus=0.25))
        '1 CPU and 0.25 GPUs'
        """
        parts = ((self.cpus, "CPU"), (self.gpus, "GPU"))
        return " and ".join(_counted(each, kind) for each, kind in parts if each)

    def times(self, number: int) -> Share:
        """Return what so many trainings take together, in the ten-thousandths that Ray counts in.

        >>> Share(cpus=2, gpus=0.25).times(4)
        Share(cpus=8, gpus=1.0)
        """
        return Share(round(self.cpus * number, 4), round(self.gpus * number, 4))

    def fits(self, resources: Mapping[str, float]) -> int:
        """Return how many trainings a node has room for.

        >>> Share(cpus=2, gpus=0.25).fits({"CPU": 64, "GPU": 2})
        8
        """
        counts = [
            int(resources.get(name, 0.0) / each + 1e-6)
            for name, each in (("CPU", self.cpus), ("GPU", self.gpus))
            if each > 0
        ]
        return min(counts) if counts else 0

    def beyond(self, resources: Mapping[str, float], slots: int) -> str | None:
        """Return what a machine can never give to a process of Ray with so many trainings; None if it can.

        >>> Share(gpus=1).beyond({"CPU": 2}, 1)
        '`gpus=1` for each training is more than this machine has, 0 GPUs; leave it out'
        """
        parts = []
        for name, kind, each in (("cpus", "CPU", self.cpus), ("gpus", "GPU", self.gpus)):
            there = resources.get(kind, 0.0)
            if each * slots > there + 1e-6:
                trainings = "each training" if slots == 1 else f"each of {slots} slots"
                remedy = f"give at most {there / slots:g}" if there else "leave it out"
                has = f"more than this machine has, {_counted(there, kind)}"
                parts.append(f"`{name}={each:g}` for {trainings} is {has}; {remedy}")
        return ". ".join(parts) or None


@dataclass(frozen=True, slots=True)
class HostSaid:
    """What was heard of a host.

    Args:
        host: Its number.
        about: What ``Host.about`` returned, when it is ready.
        reports: What its trainings have reported.
        ended: Why nothing more will be heard of it.
        unmade: Whether it has ended because it could not be made at all.
        node_lost: Whether it has ended with its whole node.
    """

    host: int
    about: Mapping[str, Any] | None = None
    reports: tuple[Report, ...] = ()
    ended: str | None = None
    unmade: bool = False
    node_lost: bool = False


class Cluster(abc.ABC):
    """Has hosts on its nodes."""

    @abc.abstractmethod
    def room(self) -> int:
        """Return how many trainings all nodes together have room for, were nothing else going on there."""

    @abc.abstractmethod
    def start(self, host: int) -> None:
        """Start a host, as soon as there is room for it."""

    @abc.abstractmethod
    def share(self, host: int, name: str) -> None:
        """Tell a host of an array."""

    @abc.abstractmethod
    def keep(self, name: str, path: str) -> None:
        """Keep the array of a file for all hosts."""

    @abc.abstractmethod
    def begin(self, host: int, number: int, job: Mapping[str, Any], state: bytes | None) -> None:
        """Have a host begin a job."""

    @abc.abstractmethod
    def cancel(self, host: int, number: int) -> None:
        """Have a host end a job."""

    @abc.abstractmethod
    def end(self, host: int) -> None:
        """End a host."""


def _counted(number: float, kind: str) -> str:
    return f"{number:g} {kind}{'' if number == 1 else 's'}"


def check_address(address: str) -> None:
    """Check that an address is one.

    Raises:
        InputError: if it is not.
    """
    check_type("address", address, str, "auto, local or HOST:PORT")
    host, _, port = address.rpartition(":")
    if address in (AUTO, LOCAL) or (host and port.isdecimal() and "/" not in host):
        return
    remote = "; a program beside the cluster cannot use it: its machine has to join it" if "//" in address else ""
    raise InputError(f"the address of a Ray cluster is auto, local or HOST:PORT, got {address!r}{remote}")


def check_settings(workers: int | None, cpus: float, gpus: float, slots: int) -> None:
    """Check what an executor is given, and that Ray is there.

    Raises:
        PluginError: if Ray is not installed.
        InputError: if there can be no such executor.
    """
    if importlib.util.find_spec("ray") is None:
        raise PluginError("a cluster needs Ray, which is not installed: pip install ray")
    if workers is not None and (integer(workers) or 0) < 1:
        raise InputError(f"at least 1 worker is needed, got {workers!r}")
    if (integer(slots) or 0) < 1:
        raise InputError(f"a Ray process has at least 1 slot, got {slots!r}")
    if real(cpus) is None or real(gpus) is None or cpus < 0 or gpus < 0 or cpus + gpus == 0:
        raise InputError(f"a training needs a share of CPUs or GPUs, got {cpus!r} CPUs and {gpus!r} GPUs")
    total = gpus * slots
    # Each GPU has to be of one slot, or be shared by as many as fill it.
    if total > 1 and not (_is_whole(total) and _is_whole(gpus if gpus >= 1 else 1 / gpus)):
        raise InputError(
            f"a Ray process has a share of one GPU, or whole ones that its slots divide evenly; {slots} slots of "
            f"{gpus} GPUs are {total:g}"
        )


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6
