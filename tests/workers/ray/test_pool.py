"""Jobs are given to hosts, and handed on from those that are gone, without a word to Ray."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from typing import Any

import pytest

from tinysearch.errors import WorkerError
from tinysearch.workers.ray.cluster import Cluster, HostSaid, Share, check_settings
from tinysearch.workers.ray.host import gpus_of
from tinysearch.workers.ray.pool import SILENCE, Pool

ABOUT = {"machine": "one", "node": "1", "environment": {"tinysearch": "1.0"}}


class Noted(Cluster):
    """Notes what it is asked for."""

    def __init__(self) -> None:
        self.started: list[int] = []
        self.shared: list[tuple[int, str]] = []
        self.begun: list[tuple[int, int, bytes | None]] = []
        self.cancelled: list[tuple[int, int]] = []
        self.ended: list[int] = []

    def room(self) -> int:
        raise NotImplementedError

    def start(self, host: int) -> None:
        self.started.append(host)

    def keep(self, name: str, path: str) -> None:
        pass

    def share(self, host: int, name: str) -> None:
        self.shared.append((host, name))

    def begin(self, host: int, number: int, job: Mapping[str, Any], state: bytes | None) -> None:
        self.begun.append((host, number, state))

    def cancel(self, host: int, number: int) -> None:
        self.cancelled.append((host, number))

    def end(self, host: int) -> None:
        self.ended.append(host)


class Told:
    """A pool whose hosts are ready, and what it tells."""

    def __init__(self, workers: int = 2, slots: int = 1, ready: bool = True, expected: int | None = None) -> None:
        self.cluster = Noted()
        self.events: list[tuple[str, dict[str, Any], bytes | None]] = []
        expected = workers if expected is None else expected
        self.pool = Pool(self.cluster, workers, slots, expected, "1.0", self.tell)
        self.pool.prepare(workers)
        if ready:
            for host in list(self.cluster.started):
                self.pool.heard(HostSaid(host, about=ABOUT))
            self.events.clear()

    def tell(self, event: str, payload: bytes | None = None, **values: Any) -> None:
        self.events.append((event, values, payload))

    def report(self, host: int, kind: str, job: int, payload: bytes | None = None, **values: Any) -> None:
        self.pool.heard(HostSaid(host, reports=((kind, job, values, payload),)))

    def named(self, *names: str) -> list[str]:
        return [event for event, _, _ in self.events if event in names]


def test_what_a_machine_can_never_give_is_named_with_what_there_is() -> None:
    machine = {"CPU": 2.0, "GPU": 1.0}
    assert Share(cpus=1, gpus=0.5).beyond(machine, 2) is None
    assert (
        Share(cpus=64).beyond(machine, 1)
        == "`cpus=64` for each training is more than this machine has, 2 CPUs; give at most 2"
    )
    said = Share(cpus=2, gpus=1).beyond(machine, 2) or ""
    assert "`cpus=2` for each of 2 slots is more than this machine has, 2 CPUs; give at most 1" in said
    assert "`gpus=1` for each of 2 slots is more than this machine has, 1 GPU; give at most 0.5" in said


@pytest.mark.parametrize(("gpus", "slots"), [(0, 3), (0.125, 8), (0.3, 3), (0.5, 4), (1 / 3, 6), (1, 2), (2, 2)])
def test_shares_of_gpus_that_can_be_dealt_out_are_taken(gpus: float, slots: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    check_settings(None, 1, gpus, slots)
    visible = [str(number) for number in range(max(1, math.ceil(gpus * slots - 1e-6)))]
    dealt = [one for slot in range(slots) for part in gpus_of(slot, gpus, visible) for one in part.split(",")]
    # No GPU is promised twice, and none is left over.
    assert all(dealt.count(one) * min(1, gpus) <= 1 + 1e-6 for one in visible)
    assert set(dealt) == (set(visible) if gpus else set())


def test_jobs_wait_until_a_host_is_ready_and_go_to_the_one_with_most_room() -> None:
    told = Told(workers=4, slots=2, ready=False)
    assert told.cluster.started == [0, 1]
    for number in range(5):
        told.pool.submit(number, {}, None)
    assert told.cluster.begun == []
    for host in (1, 0):
        told.pool.heard(HostSaid(host, about=ABOUT))
    assert told.cluster.begun == [(1, 0, None), (1, 1, None), (0, 2, None), (0, 3, None)]
    told.report(0, "done", 3, b"model", measurement={})
    assert told.cluster.begun[-1] == (0, 4, None)
    assert told.events[-1] == ("done", {"handle": 3, "measurement": {}}, b"model")


def test_arrays_are_shared_with_hosts_that_are_ready_and_with_those_that_come_later() -> None:
    told = Told(workers=2, ready=False)
    told.pool.heard(HostSaid(0, about=ABOUT))
    for _ in range(2):
        told.pool.share("pixels", "a file")
    assert told.cluster.shared == [(0, "pixels")]
    told.pool.heard(HostSaid(1, about=ABOUT))
    assert told.cluster.shared == [(0, "pixels"), (1, "pixels")]


def test_capacity_is_what_is_expected_until_it_is_known() -> None:
    told = Told(workers=6, slots=2, ready=False, expected=3)
    assert told.pool.capacity == 3
    for host, capacity in ((0, 3), (1, 4), (2, 6)):
        told.pool.heard(HostSaid(host, about=ABOUT))
        assert told.pool.capacity == capacity
    told.pool.heard(HostSaid(1, ended="gone", node_lost=True))
    assert told.pool.capacity == 4
    assert told.events[-1] == ("capacity", {"count": 4, "ready": 2}, None)


def test_the_jobs_of_a_lost_node_go_on_elsewhere_from_their_last_state_and_nobody_hears_of_it() -> None:
    told = Told()
    told.pool.submit(0, {}, None)
    told.pool.submit(1, {}, b"begin")
    told.report(0, "epoch", 0, b"state 1", number=1)
    told.report(0, "epoch", 0, None, number=2)
    told.pool.heard(HostSaid(0, ended="the node died", node_lost=True))
    assert told.cluster.started == [0, 1, 2]
    told.pool.heard(HostSaid(2, about=ABOUT))
    assert told.cluster.begun == [(0, 0, None), (1, 1, b"begin"), (2, 0, b"state 1")]
    assert told.named("lost", "done") == []
    # What was on its way from the node says nothing any more.
    told.report(2, "done", 0)
    assert told.named("done") == ["done"]


def test_the_jobs_of_a_host_that_ends_while_its_node_lives_are_lost() -> None:
    told = Told()
    told.pool.submit(0, {}, None)
    told.pool.submit(1, {}, None)
    told.pool.heard(HostSaid(0, ended="out of memory"))
    assert told.events[0] == (
        "lost",
        {"handle": 0, "reason": "a worker of the cluster has ended: out of memory"},
        None,
    )
    told.pool.submit(0, {}, None)
    assert told.cluster.started == [0, 1, 2]


def test_hosts_are_started_as_jobs_need_them() -> None:
    cluster = Noted()
    pool = Pool(cluster, 5, 2, 5, "1.0", lambda *_, **__: None)
    assert cluster.started == []
    for number, started in enumerate((1, 1, 2, 2, 3, 3, 3)):
        pool.submit(number, {}, None)
        assert len(cluster.started) == started
    pool.heard(HostSaid(1, ended="gone", node_lost=True))
    assert len(cluster.started) == 4
    for number in range(5):
        pool.cancel(number)
    pool.heard(HostSaid(0, ended="gone", node_lost=True))
    assert len(cluster.started) == 4


def test_a_job_that_is_cancelled_is_heard_of_no_more_and_leaves_its_slot() -> None:
    told = Told(workers=1)
    for number in range(3):
        told.pool.submit(number, {}, None)
    for number in (0, 2, 2, 77):
        told.pool.cancel(number)
    assert told.cluster.cancelled == [(0, 0)]
    assert told.cluster.begun == [(0, 0, None), (0, 1, None)]
    told.report(0, "epoch", 0, None, number=1)
    told.report(0, "done", 0)
    assert told.events == []


def test_a_host_that_can_train_nothing_is_replaced_and_three_in_a_row_are_an_error() -> None:
    told = Told(workers=1)
    for host in range(2):
        told.pool.submit(host, {}, None)
        told.pool.heard(HostSaid(host, about=ABOUT))
        told.report(host, "broken", host, message="no space left")
    assert told.cluster.ended == [0, 1]
    assert told.named("lost") == ["lost", "lost"]
    told.pool.submit(2, {}, None)
    told.pool.heard(HostSaid(2, about=ABOUT))
    with pytest.raises(WorkerError, match="the cluster cannot train: no space left"):
        told.report(2, "broken", 2, message="no space left")


def test_a_finished_training_ends_a_row_of_broken_hosts() -> None:
    told = Told(workers=1)
    for host in range(6):
        told.pool.submit(2 * host, {}, None)
        told.pool.heard(HostSaid(host, about=ABOUT))
        told.report(host, "done", 2 * host)
        told.pool.submit(2 * host + 1, {}, None)
        told.report(host, "broken", 2 * host + 1, message="no space left")
    assert told.named("done") == ["done"] * 6


def test_hosts_that_cannot_be_made_are_an_error_that_says_why() -> None:
    told = Told(workers=1, ready=False)
    told.pool.submit(0, {}, None)
    for host in range(2):
        told.pool.heard(HostSaid(host, ended="No module named 'tinysearch'", unmade=True))
    with pytest.raises(WorkerError, match="No module named 'tinysearch'"):
        told.pool.heard(HostSaid(2, ended="No module named 'tinysearch'", unmade=True))


def test_a_node_that_takes_many_hosts_with_it_is_no_sign_of_a_broken_cluster() -> None:
    told = Told(workers=4)
    for number in range(4):
        told.pool.submit(number, {}, None)
    # What a host had to say may be lost with its node, which looks as if it had failed in another way.
    for host in range(4):
        told.pool.heard(HostSaid(host, ended="the answer was lost", unmade=True, node_lost=True))
    told.pool.heard(HostSaid(4, about=ABOUT))
    assert told.cluster.begun[-1][0] == 4
    assert told.named("lost") == []


def test_hosts_that_end_again_and_again_before_they_are_ready_are_an_error() -> None:
    told = Told(workers=2, ready=False)
    told.pool.submit(0, {}, None)
    for _ in range(6):
        told.pool.heard(HostSaid(told.cluster.started[-1], ended="it crashed"))
        told.pool.prepare(2)
    with pytest.raises(WorkerError, match="it crashed"):
        told.pool.heard(HostSaid(told.cluster.started[-1], ended="it crashed"))


def test_a_host_that_says_nothing_for_long_is_given_up_and_its_jobs_go_on_elsewhere() -> None:
    told = Told()
    for number in range(2):
        told.pool.submit(number, {}, None)
    for _ in range(4):
        told.pool.passed(SILENCE / 3)
        told.pool.heard(HostSaid(1))
    assert told.cluster.ended == [0]
    told.pool.heard(HostSaid(2, about=ABOUT))
    assert told.cluster.begun == [(0, 0, None), (1, 1, None), (2, 0, None)]
    assert told.named("lost") == []


def test_nodes_with_another_version_are_refused() -> None:
    told = Told(workers=1, ready=False)
    with pytest.raises(WorkerError, match=r"one has tinysearch 0\.9, and this machine 1\.0"):
        told.pool.heard(HostSaid(0, about={**ABOUT, "environment": {"tinysearch": "0.9"}}))


@pytest.mark.parametrize(
    ("cpus", "gpus", "resources", "room"),
    [
        (1.0, 0.0, {"CPU": 16.0}, 16),
        (0.1, 0.0, {"CPU": 0.3}, 3),
        (1.0, 0.125, {"CPU": 16.0, "GPU": 1.0}, 8),
        (1.0, 0.125, {"CPU": 4.0, "GPU": 1.0}, 4),
        (0.0, 0.5, {"CPU": 4.0, "GPU": 2.0}, 4),
        (1.0, 1.0, {"CPU": 4.0}, 0),
    ],
)
def test_a_node_has_room_for_as_many_as_its_scarcest_resource_allows(
    cpus: float, gpus: float, resources: dict[str, float], room: int
) -> None:
    assert Share(cpus, gpus).fits(resources) == room
