"""Trainings on a real Ray cluster, of nodes that are processes of this machine."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gated
import psutil
import pytest

import tinysearch
from tinysearch.errors import InputError, WorkerError
from tinysearch.executors import Local, Ray
from tinysearch.results.callback import Callback
from tinysearch.results.record import Epoch, Record
from tinysearch.results.training import Training
from tinysearch.runtime.cores import usable_cores
from tinysearch.testing import ThreadExecutor, check_executor
from tinysearch.workers.contract import _job

sys.path.insert(0, str(Path(__file__).parents[2] / "reliability"))
from kills import essentials

pytestmark = pytest.mark.cluster

SHALLOW = Path(__file__).parents[2] / "shallow.json"
SEARCH = {
    "trials": 4,
    "epochs": 2,
    "baselines": False,
    "folds": 1,
    "evaluate": 0,
    "lag": 2,
    "space": SHALLOW,
    "strategy": "random",
}


@pytest.fixture
def search(tiny: Path, tmp_path: Path) -> Callable[..., list[Record]]:
    """Return a function that searches with an executor, in a store of its own, and returns the records."""

    def carry_out(executor: Any, **settings: Any) -> list[Record]:
        store = tmp_path / f"{len(list(tmp_path.iterdir()))}.db"
        given = {"budget": 2_000, "data": tiny, "store": store, "verbose": 0, "reuse": "none", **SEARCH, **settings}
        with tinysearch.run(executor=executor, **given) as study:
            return study.records

    return carry_out


def compared(records: list[Record]) -> list[dict[str, Any]]:
    return [essentials(record) for record in records]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"gpus": 1_000}, "`gpus=1000` for each training is more than this machine has"),
        ({"cpus": 10_000}, r"`cpus=10000` for each training is more than this machine has, \d+ CPUs?; give at most"),
        ({"cpus": 10_000, "workers": 1}, r"`cpus=10000` for each training is more than this machine has, \d+ CPUs?"),
    ],
)
def test_a_share_that_this_machine_can_never_give_is_an_error_at_once(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Ray("local", **options)


def test_a_process_with_more_slots_than_workers_has_room_on_this_machine() -> None:
    with Ray("local", workers=1, slots=2, cpus=0.5) as executor:
        assert executor.capacity == 1


def test_this_machine_has_room_for_as_many_trainings_as_it_has_cores() -> None:
    with Ray("local", workers=64) as executor:
        assert executor.capacity == min(64, usable_cores())


def test_the_contract_of_executors_holds_on_a_cluster(cluster: Any) -> None:
    check_executor(lambda: Ray(cluster.address, workers=2))


def test_the_records_are_those_of_local_workers_and_the_calling_process_stays_as_it_was(
    cluster: Any, search: Callable[..., list[Record]]
) -> None:
    def state() -> list[Any]:
        # What Ray changes in a process that it is used in.
        names = [name for name in os.environ if "RAY" in name or name == "PYTHONBREAKPOINT"]
        handlers = [signal.getsignal(one) for one in signal.valid_signals()]
        return [names, handlers, sys.excepthook, logging.root.level, list(logging.root.handlers)]

    before = state()
    with Ray(cluster.address, workers=2) as executor:
        there = search(executor)
        assert state() == before
    assert "ray" not in sys.modules
    with Local(2) as processes:
        assert compared(there) == compared(search(processes))
    assert len(there) == 4
    assert not any(record.failed for record in there)


def test_results_are_reused_that_were_trained_where_the_workers_are(cluster: Any, tiny: Path, tmp_path: Path) -> None:
    # The backend of the nodes is another one than that of this process; what is trained loads neither.
    options = {"trainer": "gated:train", "runtime_env": {"env_vars": {"KERAS_BACKEND": "jax"}}}
    given = {"budget": 2_000, "data": tiny, "store": tmp_path / "store.db", "verbose": 0, **SEARCH}
    for name, expected in (("first", None), ("second", "first")):
        with (
            Ray(cluster.address, workers=2, **options) as executor,
            tinysearch.run(executor=executor, name=name, **given) as study,
        ):
            assert {record.provenance["backend"] for record in study.records} == {"jax"}
            assert {record.reused_from for record in study.records} == {expected}


class Killer(Callback):
    """Kills processes after the first epoch of a search."""

    def __init__(self, pids: list[int]) -> None:
        self.pids = pids

    def on_epoch(self, training: Training, number: int, epoch: Epoch) -> None:
        while self.pids:
            psutil.Process(self.pids.pop()).kill()


@pytest.mark.filterwarnings("ignore:of 4 workers:UserWarning")
def test_a_node_that_is_killed_costs_nothing_but_time(start: Any, search: Callable[..., list[Record]]) -> None:
    nodes = start(2)
    killer = Killer(nodes.raylets[:1])
    # With as many workers as there are slots for two on each node, both have some.
    with Ray(nodes.address, workers=4, cpus=64) as executor:
        there = search(executor, callbacks=[killer], lag=4, threads=1)
    assert killer.pids == []
    with Local(4) as processes:
        assert compared(there) == compared(search(processes, lag=4, threads=1))


@pytest.mark.parametrize("slots", [64, 256])
def test_five_hundred_trainings_on_many_slots_are_those_of_this_process(
    slots: int, cluster: Any, search: Callable[..., list[Record]]
) -> None:
    given = {"trials": 500, "lag": slots, "space": None}
    with Ray(cluster.address, workers=slots, slots=32, trainer="gated:train", processes=False) as executor:
        there = search(executor, **given)
        assert executor.capacity == slots
    here = search(ThreadExecutor(gated.train, slots), **given)
    assert [(one.key, one.trial, one.val_accuracy) for one in there] == [
        (one.key, one.trial, one.val_accuracy) for one in here
    ]
    assert len(there) == 500


def test_the_death_of_the_process_that_speaks_to_ray_is_a_clear_error_and_its_hosts_end(cluster: Any) -> None:
    with Ray(cluster.address, workers=1) as executor:
        submitted = executor.submit(_job(executor, 0, epochs=10_000))
        while (event := executor.wait()) is None or event.handle != submitted:
            pass
        family = [one for node in cluster.raylets for one in psutil.Process(node).children(recursive=True)]
        hosts = [one for one in family if "ray::TrainingHost" in " ".join(one.cmdline())]
        assert hosts
        psutil.Process(executor.pid).kill()
        with pytest.raises(WorkerError, match=r"connection to the Ray cluster .* was lost.* `resume=True`"):
            executor.wait()
        with pytest.raises(WorkerError, match="was lost"):
            executor.submit(_job(executor, 1))
    assert psutil.wait_procs(hosts, timeout=60)[1] == []


def test_no_cluster_is_a_clear_error() -> None:
    with pytest.raises(WorkerError, match=r"nothing answers at 127.0.0.1:1: .*ray start --head --port=1"):
        Ray("127.0.0.1:1")
