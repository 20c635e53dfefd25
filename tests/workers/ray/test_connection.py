"""What is said to Ray, and what its answers mean, with a stand-in for Ray."""

from __future__ import annotations

import queue
import sys
from collections.abc import Callable
from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest

from tinysearch.errors import InputError
from tinysearch.workers.ray import connection
from tinysearch.workers.ray.cluster import HostSaid, Share
from tinysearch.workers.ray.connection import Answer, RayCluster
from tinysearch.workers.ray.host import HostSettings

ABOUT = {"machine": "one", "node": "a", "environment": {}}


class EndedError(Exception):
    """Stands for Ray's error of an actor that has ended, or could not be made."""

    def __init__(self, actor_init_failed: bool) -> None:
        super().__init__("it has ended")
        self.actor_init_failed = actor_init_failed


class FakeRay:
    """Notes how it was started; actors answer when they are told to."""

    def __init__(self, **nodes: dict[str, float]) -> None:
        self.nodes_by_name = nodes
        self.options: dict[str, Any] = {}
        self.answers: list[tuple[str, Future[Any]]] = []
        self.is_up = False

    def init(self, **options: Any) -> None:
        self.options, self.is_up = options, True
        if "num_cpus" in options:
            self.nodes_by_name["a"]["CPU"] = options["num_cpus"]

    def shutdown(self) -> None:
        self.is_up = False

    def nodes(self) -> list[dict[str, Any]]:
        return [{"NodeID": name, "Alive": True, "Resources": there} for name, there in self.nodes_by_name.items()]

    def remote(self, kind: type) -> Any:
        def call(name: str) -> Any:
            def remote(*given: Any) -> Any:
                future: Future[Any] = Future()
                self.answers.append((name, future))
                return SimpleNamespace(future=lambda: future)

            return SimpleNamespace(remote=remote)

        actor = SimpleNamespace(**{name: call(name) for name in ("about", "take", "begin", "cancel")})
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=lambda _: actor))

    def kill(self, actor: Any) -> None:
        pass


Connect = Callable[..., tuple[RayCluster, FakeRay, "queue.SimpleQueue[Answer]"]]


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Connect:
    """Return a function that connects to a cluster of some nodes; the machine has two cores."""
    monkeypatch.setattr(connection, "usable_cores", lambda: 2)

    def connected(address: str = "auto", share: Share = Share(), slots: int = 1, **given: Any) -> Any:  # noqa: B008
        ray = FakeRay(**given.pop("nodes", {"a": {"CPU": 2.0}}))
        monkeypatch.setitem(sys.modules, "ray", ray)
        inbox: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        return RayCluster(address, share, HostSettings(slots), inbox, **given), ray, inbox

    return connected


def ready(connect: Connect) -> tuple[RayCluster, FakeRay, Any]:
    """Return a cluster that has a host on the node a, and is waiting for what it reports."""
    cluster, ray, inbox = connect(nodes={"a": {"CPU": 2.0}, "b": {"CPU": 2.0}})
    cluster.start(0)
    ray.answers.pop()[1].set_result(ABOUT)
    assert cluster.heard(inbox.get_nowait()) == HostSaid(0, about=ABOUT)
    return cluster, ray, inbox


@pytest.mark.parametrize("lost", [False, True])
def test_an_answer_that_is_lost_is_no_host_that_could_not_be_made(lost: bool, connect: Connect) -> None:
    cluster, ray, inbox = ready(connect)
    if lost:
        del ray.nodes_by_name["a"]
    # Ray's error of an object that is lost knows nothing of actors.
    ray.answers.pop()[1].set_exception(RuntimeError("the object is lost"))
    said = cluster.heard(inbox.get_nowait())
    assert said == HostSaid(0, ended="the object is lost", unmade=False, node_lost=lost)


@pytest.mark.parametrize(
    ("error", "unmade"), [(EndedError(True), True), (EndedError(False), False), (RuntimeError("no such module"), True)]
)
def test_a_host_could_not_be_made_if_its_first_answer_says_so(error: Exception, unmade: bool, connect: Connect) -> None:
    cluster, ray, inbox = connect()
    cluster.start(0)
    ray.answers.pop()[1].set_exception(error)
    assert cluster.heard(inbox.get_nowait()) == HostSaid(0, ended=str(error), unmade=unmade)


@pytest.mark.parametrize(("slots", "room"), [(1, 24), (8, 16), (12, 24), (13, 0)])
def test_the_room_of_a_node_is_that_of_whole_processes_of_ray(slots: int, room: int, connect: Connect) -> None:
    cluster, _, _ = connect(slots=slots, nodes={"a": {"CPU": 12.0}, "b": {"CPU": 12.0}, "head": {}})
    assert cluster.room() == room


@pytest.mark.parametrize(
    ("workers", "slots", "cpus", "room"),
    [(64, 1, 1.0, 2), (1, 1, 1.0, 1), (1, 2, 1.0, 2), (3, 2, 0.5, 4), (None, 1, 1, 2)],
)
def test_this_machine_gives_no_more_cores_than_it_has(
    workers: int | None, slots: int, cpus: float, room: int, connect: Connect
) -> None:
    cluster, ray, _ = connect("local", Share(cpus), slots, workers=workers)
    assert ray.options["num_cpus"] <= 2
    assert cluster.room() == room


@pytest.mark.parametrize("workers", [None, 1, 64])
def test_a_share_of_this_machine_that_it_has_not_is_refused_whatever_the_number_of_workers(
    workers: int | None, connect: Connect
) -> None:
    with pytest.raises(InputError, match="`cpus=3` for each training is more than this machine has, 2 CPUs"):
        connect("local", Share(3), workers=workers)
    assert not sys.modules["ray"].is_up
    with pytest.raises(InputError, match="`cpus=1` for each of 3 slots is more than this machine has, 2 CPUs"):
        connect("local", Share(1), 3, workers=workers)


def test_the_gpus_of_this_machine_are_those_that_ray_finds(connect: Connect) -> None:
    # Ray finds GPUs of other makers, and those of NVIDIA without nvidia-smi.
    cluster, _, _ = connect("local", Share(1, 0.5), workers=2, nodes={"a": {"CPU": 2.0, "GPU": 1.0}})
    assert cluster.room() == 2
    with pytest.raises(InputError, match="`gpus=2` for each training is more than this machine has, 1 GPU"):
        connect("local", Share(1, 2), workers=2, nodes={"a": {"CPU": 2.0, "GPU": 1.0}})


@pytest.mark.parametrize(
    ("address", "host"), [("[::1]:6379", "::1"), ("10.0.0.1:6379", "10.0.0.1"), ("head.local:6379", "head.local")]
)
def test_an_address_may_be_one_of_ipv6(
    address: str, host: str, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached: list[Any] = []

    def create_connection(there: Any, timeout: float) -> Any:
        reached.append(there)
        return SimpleNamespace(close=lambda: None)

    monkeypatch.setattr(connection, "socket", SimpleNamespace(create_connection=create_connection))
    connect(address)
    assert reached == [(host, 6379)]
