"""The interface of a cluster for the pool of hosts, so that the pool can be tested without Ray; argument checks."""

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
    """Resources of a node for each training.

    Args:
        cpus: Number of CPUs, as Ray counts them.
        gpus: Number of GPUs, or the share of one.
    """

    cpus: float = 1.0
    gpus: float = 0.0

    def __str__(self) -> str:
        """Return the text for users.

        >>> str(Share(cpus=1, gpus=0.25))
        '1 CPU and 0.25 GPUs'
        """
        parts = ((self.cpus, "CPU"), (self.gpus, "GPU"))
        return " and ".join(_counted(each, kind) for each, kind in parts if each)

    def times(self, number: int) -> Share:
        """Return the resources of ``number`` trainings together, rounded to the ten-thousandths that Ray counts in.

        >>> Share(cpus=2, gpus=0.25).times(4)
        Share(cpus=8, gpus=1.0)
        """
        return Share(round(self.cpus * number, 4), round(self.gpus * number, 4))

    def fits(self, resources: Mapping[str, float]) -> int:
        """Return the number of trainings that fit on a node with these resources.

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
        """Return an error message if a machine can never run a Ray process with ``slots`` trainings; None if it can.

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
    """A message about a host.

    Args:
        host: Number of the host.
        about: Result of ``Host.about`` if the host has just become ready.
        reports: Reports of its trainings.
        ended: Reason if the host has ended.
        unmade: Whether it has ended because it could not be created or cannot train anything.
        node_lost: Whether it has ended with its whole node.
    """

    host: int
    about: Mapping[str, Any] | None = None
    reports: tuple[Report, ...] = ()
    ended: str | None = None
    unmade: bool = False
    node_lost: bool = False


class Cluster(abc.ABC):
    """Interface of a cluster that runs hosts on its nodes."""

    @abc.abstractmethod
    def room(self) -> int:
        """Return the number of trainings that fit on all nodes together if nothing else runs there."""

    @abc.abstractmethod
    def start(self, host: int) -> None:
        """Start a host as soon as the cluster has room for it."""

    @abc.abstractmethod
    def share(self, host: int, name: str) -> None:
        """Make a stored array available to a host."""

    @abc.abstractmethod
    def keep(self, name: str, path: str) -> None:
        """Store the array of a file for all hosts."""

    @abc.abstractmethod
    def begin(self, host: int, number: int, job: Mapping[str, Any], state: bytes | None) -> None:
        """Begin a job on a host."""

    @abc.abstractmethod
    def cancel(self, host: int, number: int) -> None:
        """End a job on a host."""

    @abc.abstractmethod
    def end(self, host: int) -> None:
        """End a host."""


def _counted(number: float, kind: str) -> str:
    return f"{number:g} {kind}{'' if number == 1 else 's'}"


def check_address(address: str) -> None:
    """Check the address of a cluster.

    Raises:
        InputError: if the address is invalid.
    """
    check_type("address", address, str, "auto, local or HOST:PORT")
    host, _, port = address.rpartition(":")
    if address in (AUTO, LOCAL) or (host and port.isdecimal() and "/" not in host):
        return
    remote = "; Ray Client is not supported: this machine has to be a node of the cluster" if "//" in address else ""
    raise InputError(f"the address of a Ray cluster is auto, local or HOST:PORT, got {address!r}{remote}")


def check_settings(workers: int | None, cpus: float, gpus: float, slots: int) -> None:
    """Check the arguments of an executor, and that Ray is installed.

    Raises:
        PluginError: if Ray is not installed.
        InputError: if an argument is invalid.
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
    # Each GPU must belong to one slot, or be shared by slots that fill it exactly.
    if total > 1 and not (_is_whole(total) and _is_whole(gpus if gpus >= 1 else 1 / gpus)):
        raise InputError(
            f"a Ray process has a share of one GPU, or whole ones that its slots divide evenly; {slots} slots of "
            f"{gpus} GPUs are {total:g}"
        )


def _is_whole(number: float) -> bool:
    return abs(number - round(number)) < 1e-6
