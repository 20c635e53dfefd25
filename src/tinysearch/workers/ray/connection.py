"""All calls to Ray: the connection to a cluster and the actors on it."""

from __future__ import annotations

import math
import queue
import re
import socket
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from tinysearch.errors import InputError, WorkerError
from tinysearch.runtime.cores import usable_cores
from tinysearch.workers.local.arrays import mapped
from tinysearch.workers.ray.cluster import AUTO, LOCAL, Cluster, HostSaid, Share
from tinysearch.workers.ray.host import Host, HostSettings

# Seconds that a host waits for reports before it answers with an empty list.
_POLL = 10.0
# Seconds within which a reachable machine answers.
_REACH = 5.0


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of a host: its reports or, the first time, its machine and environment."""

    host: int
    done: Future[Any]
    first: bool = False


class RayCluster(Cluster):
    """A Ray cluster. This process becomes a driver of it.

    Args:
        address: ``"auto"``, ``"local"`` or ``HOST:PORT``.
        share: Resources of each training.
        settings: Settings of the hosts.
        inbox: Queue that receives the answers of hosts.
        workers: Number of trainings wanted at a time; None for as many as fit.
        runtime_env: Runtime environment that Ray prepares on the nodes.

    Raises:
        InputError: if the cluster is this machine, and it lacks the resources of each training.
        WorkerError: if the cluster does not exist or cannot be used.
    """

    def __init__(
        self,
        address: str,
        share: Share,
        settings: HostSettings,
        inbox: queue.SimpleQueue[Any],
        *,
        workers: int | None = None,
        runtime_env: Mapping[str, Any] | None = None,
    ) -> None:
        import ray

        _connect(address, share, workers, settings.slots, runtime_env)
        self._ray: Any = ray
        if address == LOCAL:
            (machine,) = self._ray.nodes()
            beyond = share.beyond(machine["Resources"], settings.slots)
            if beyond is not None:
                # No other machine will join: trainings would wait forever.
                self._ray.shutdown()
                raise InputError(beyond)
        self._per_training = share
        self._settings = settings
        self._inbox = inbox
        self._actors: dict[int, Any] = {}
        self._nodes: dict[int, str] = {}
        self._arrays: dict[str, Any] = {}
        self._made: Any = ray.remote(TrainingHost)

    def room(self) -> int:
        slots = self._settings.slots
        of_host = self._per_training.times(slots)
        return slots * sum(of_host.fits(node["Resources"]) for node in self._ray.nodes() if node["Alive"])

    def start(self, host: int) -> None:
        of_host = self._per_training.times(self._settings.slots)
        actor = self._made.options(
            num_cpus=of_host.cpus,
            num_gpus=of_host.gpus,
            max_restarts=0,
            # One call waits for reports while others begin and cancel jobs.
            max_concurrency=4,
            scheduling_strategy="SPREAD",
        ).remote(asdict(self._settings))
        self._actors[host] = actor
        done = actor.about.remote().future()
        done.add_done_callback(lambda done: self._inbox.put(Answer(host, done, first=True)))

    def share(self, host: int, name: str) -> None:
        # Inside a list, Ray passes a reference instead of the array; only the first host of a node fetches the array.
        self._actors[host].share.remote(name, [self._arrays[name]])

    def keep(self, name: str, path: str) -> None:
        self._arrays[name] = self._ray.put(mapped(path))

    def begin(self, host: int, number: int, job: Mapping[str, Any], state: bytes | None) -> None:
        self._actors[host].begin.remote(number, job, state)

    def cancel(self, host: int, number: int) -> None:
        self._actors[host].cancel.remote(number)

    def end(self, host: int) -> None:
        # Kill it, because it may be unable to end itself.
        self._ray.kill(self._actors.pop(host))

    def close(self) -> None:
        """End all hosts and disconnect. A cluster that was started by this connection ends too."""
        ending = [actor.end.remote() for actor in self._actors.values()]
        self._actors.clear()
        # Each call ends with an error, because its actor has ended.
        with suppress(Exception):
            self._ray.wait(ending, num_returns=len(ending), timeout=_REACH)
        self._ray.shutdown()

    def heard(self, answer: Answer) -> HostSaid | None:
        """Return an answer of a host as a message; None if the host has been removed."""
        host, done = answer.host, answer.done
        if host not in self._actors:
            return None
        error = done.exception()
        if error is not None:
            return self._ending(host, error)
        self._ask(host)
        if answer.first:
            self._nodes[host] = done.result()["node"]
            return HostSaid(host, about=done.result())
        return HostSaid(host, reports=tuple(done.result()))

    def _ask(self, host: int) -> None:
        done = self._actors[host].take.remote(_POLL).future()
        done.add_done_callback(lambda done: self._inbox.put(Answer(host, done)))

    def _ending(self, host: int, error: BaseException) -> HostSaid:
        node = self._nodes.get(host)
        # A host that was ready existed, even if Ray reports another kind of error, such as a lost node.
        unmade = bool(getattr(error, "actor_init_failed", node is None))
        reason = plainly(str(error)) or type(error).__name__
        with suppress(Exception):
            self._ray.kill(self._actors.pop(host))
        alive = {one["NodeID"] for one in self._ray.nodes() if one["Alive"]}
        return HostSaid(host, ended=reason, unmade=unmade, node_lost=node is not None and node not in alive)


class TrainingHost(Host):
    """A ``Host`` as a Ray actor. The Ray dashboard shows the name of this class."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        import ray

        self._node = ray.get_runtime_context().get_node_id()
        super().__init__(settings, self._node)

    def about(self) -> dict[str, Any]:
        return {**super().about(), "node": self._node}

    def share(self, name: str, reference: Any) -> None:
        import ray

        super().share(name, lambda: ray.get(reference[0]))


def plainly(said: str) -> str:
    r"""Return the last line of an error message of Ray, which names the cause, without colours.

    >>> plainly("It died: \x1b[36mray::Host()\x1b[39m\n  File 'x.py'\nModuleNotFoundError: No module named 'x'")
    "ModuleNotFoundError: No module named 'x'"
    """
    lines = re.sub(r"\x1b\[[0-9;]*m", "", said).strip().splitlines()
    return lines[-1].strip() if lines else ""


def _connect(
    address: str, share: Share, workers: int | None, slots: int, runtime_env: Mapping[str, Any] | None
) -> None:
    import ray

    options: dict[str, Any] = {"address": address, "configure_logging": False, "log_to_driver": False}
    if runtime_env is not None:
        options["runtime_env"] = dict(runtime_env)
    if address == LOCAL:
        options["include_dashboard"] = False
        # Each Ray process takes the CPUs of all its slots.
        wanted = math.inf if workers is None else math.ceil(workers / slots) * slots * share.cpus
        options["num_cpus"] = max(1, math.ceil(min(usable_cores(), wanted)))
    elif address != AUTO:
        _reach(address)
    try:
        ray.init(**options)
    except Exception as error:
        reason = str(error).strip() or type(error).__name__
        raise WorkerError(f"{_REMEDIES.get(address, _JOIN.format(address=address))}: {reason}") from None


def _reach(address: str) -> None:
    """Check that something answers at an address.

    Raises:
        WorkerError: if nothing answers.
    """
    host, _, port = address.rpartition(":")
    try:
        # An IPv6 address is in brackets.
        socket.create_connection((host.strip("[]"), int(port)), timeout=_REACH).close()
    except (OSError, OverflowError) as error:
        raise WorkerError(
            f"nothing answers at {address}: {error}; start the head of a cluster there with `ray start --head "
            f"--port={port}`, or check `ray status`"
        ) from None


_JOIN = (
    "the Ray cluster at {address} cannot be used; this machine must be a node of it, with the same versions of Python "
    "and Ray: `ray start --address={address} --num-cpus=0`"
)
_REMEDIES = {
    AUTO: "no Ray cluster runs on this machine; start one with `ray start --head`, join one with `ray start "
    "--address=HOST:PORT`, or give `address='local'`",
    LOCAL: "Ray could not be started on this machine",
}
