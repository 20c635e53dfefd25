"""What runs on a node carries out jobs as they are carried out without a cluster, and leaves nothing behind."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gated
import numpy as np
import psutil
import pytest
from stand_ins import FakeWorker

from tinysearch.data.dataset import TrainingData
from tinysearch.errors import CostMismatchError, WorkerError
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, EpochWatcher, Job, Outcome
from tinysearch.training.recipe import Recipe
from tinysearch.workers.ray import host as module
from tinysearch.workers.ray.host import Host, HostSettings, Report
from tinysearch.workers.ray.images import NodeArrays
from tinysearch.workers.threads import ThreadExecutor

ARRAYS = {"pixels": np.zeros((20, 12, 12, 1), np.uint8), "labels": np.arange(20, dtype=np.int32) % 2}
DATA = DataReference("pixels", "labels", "made up", (12, 12, 1), 2, 255.0)
Make = Callable[..., Host]


@pytest.fixture
def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Return a function that makes a host of threads, whose node has a folder of its own for temporary files."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(Path(gated.__file__).parent))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    made: list[Host] = []

    def maker(trainer: str = "gated:train", **settings: Any) -> Host:
        host = Host(asdict(HostSettings(trainer=trainer, **{"processes": False, **settings})), "node")
        for name, array in ARRAYS.items():
            host.share(name, lambda array=array: array)
        made.append(host)
        return host

    yield maker
    for host in made:
        host.close()
    assert list(tmp_path.glob("tinysearch-*")) == []


def job(width: int = 2, **options: Any) -> dict[str, Any]:
    network = Architecture((Conv(width, kernel=(3, 3)),), Head("average"))
    return Job(Candidate(network, Recipe(epochs=2)), 0, DATA, **options).to_dict()


def reports(host: Host, until: int = 1) -> list[Report]:
    """Return what a host reports until so many jobs are over."""
    found: list[Report] = []
    while sum(kind != "epoch" for kind, *_ in found) < until:
        found += host.take(60.0)
    return found


def crashing(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
    """Fail as the width of the first layer says."""
    layer: Any = job.candidate.architecture.layers[0]
    raise {2: CostMismatchError("miscounted"), 3: WorkerError("no room"), 4: ValueError("too large")}[layer.filters]


def test_a_host_reports_epochs_and_outcome_of_each_job(make: Make) -> None:
    host = make(slots=2)
    for number in range(3):
        host.begin(number, job(2 + number), None)
    found = reports(host, 3)
    for number in range(3):
        ours = [(kind, values) for kind, of, values, _ in found if of == number]
        assert [kind for kind, _ in ours] == ["epoch", "epoch", "done"]
        assert [values["number"] for kind, values in ours if kind == "epoch"] == [1, 2]
        expected = FakeWorker().train(Job.from_dict(job(2 + number)), lambda *_: None)
        assert ours[-1][1]["measurement"] == expected.to_dict()
        assert ours[-1][1]["environment"]["threads"] == "1"


def test_jobs_in_processes_get_the_images_of_the_node(make: Make) -> None:
    host = make(processes=True)
    host.begin(0, job(), None)
    assert [kind for kind, *_ in reports(host)] == ["epoch", "epoch", "done"]


def test_failures_are_told_by_what_they_are(make: Make) -> None:
    host = make(f"{__name__}:crashing")
    for number in range(3):
        host.begin(number, job(2 + number), None)
    (mismatch, miscounted), (broken, no_room), (done, failed) = (
        (kind, values) for kind, _, values, _ in reports(host, 3)
    )
    assert (mismatch, miscounted) == ("mismatch", {"message": "miscounted"})
    assert broken == "broken"
    assert no_room["message"].endswith(": no room")
    assert done == "done"
    assert failed["measurement"]["failure"] == "ValueError: too large"


def test_what_is_cancelled_is_not_reported_and_its_slot_is_free(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_go_on = tmp_path / "may-go-on"
    monkeypatch.setenv("TEST_MAY_GO_ON", str(may_go_on))
    host = make()
    host.begin(0, job(), None)
    host.cancel(1)
    host.begin(1, job(3), None)
    assert [(kind, number) for kind, number, *_ in host.take(60.0)] == [("epoch", 0)]
    host.cancel(0)
    monkeypatch.delenv("TEST_MAY_GO_ON")
    host.begin(2, job(4), None)
    assert {number for _, number, *_ in reports(host)} == {2}
    may_go_on.touch()


def test_a_job_waits_for_its_images(make: Make) -> None:
    host = make()
    host.begin(0, {**job(), "data": {**asdict(DATA), "pixels": "later"}}, None)
    assert host.take(0.0) == []
    host.share("later", lambda: ARRAYS["pixels"])
    assert [kind for kind, *_ in reports(host)] == ["epoch", "epoch", "done"]


def test_trainings_see_no_gpu_unless_they_have_a_share_of_one(make: Make) -> None:
    make(gpus=0.5)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "0"
    make()
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "-1"


@pytest.mark.parametrize(
    ("gpus", "visible", "expected"),
    [
        (0.0, "0,1", [((), 1.0)] * 2),
        (0.125, "5", [(("5",), 0.125)] * 2),
        (1.0, "0,1", [(("0",), 1.0), (("1",), 1.0)]),
        (2.0, "0,1,2,3", [(("0,1",), 1.0), (("2,3",), 1.0)]),
    ],
)
def test_each_slot_has_gpus_of_its_own_and_no_more_than_its_share(
    gpus: float, visible: str, expected: list[Any], make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    given: list[Any] = []

    class Noted(ThreadExecutor):
        def __init__(self, workers: int, **options: Any) -> None:
            super().__init__(gated.train)
            given.append((options["gpus"], options["gpu_share"]))

    monkeypatch.setattr(module, "LocalExecutor", Noted)
    make(processes=True, slots=2, gpus=gpus).close()
    assert sorted(given) == expected


def test_trainings_run_on_the_backend_of_the_search(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    make()
    assert os.environ["KERAS_BACKEND"] == "torch"
    make(backend="jax")
    assert os.environ["KERAS_BACKEND"] == "jax"


def test_a_training_that_cannot_be_read_is_lost_and_the_next_one_is_done(make: Make) -> None:
    host = make()
    host.begin(0, {"candidate": "none"}, None)
    ((kind, number, values, _),) = reports(host)
    assert (kind, number) == ("lost", 0)
    assert "cannot read the job: " in values["reason"]
    host.begin(1, job(), None)
    assert [kind for kind, *_ in reports(host)] == ["epoch", "epoch", "done"]


def test_a_job_that_waits_for_its_images_can_be_cancelled_and_its_host_closed(make: Make) -> None:
    host = make()
    later = {**job(), "data": {**asdict(DATA), "pixels": "never"}}
    host.begin(0, later, None)
    host.cancel(0)
    host.begin(1, job(), None)
    assert {number for _, number, *_ in reports(host)} == {1}
    host.begin(2, later, None)
    host.close()


def test_a_host_that_nobody_asks_any_more_ends(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(module, "ABANDONED", 0.01)
    monkeypatch.setattr(Host, "end", lambda host: ended.set())
    make()
    assert ended.wait(60.0)


def test_an_array_is_written_once_for_all_processes_of_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    one, other = NodeArrays("key"), NodeArrays("key")
    path = one.path("pixels", lambda: ARRAYS["pixels"])
    assert other.path("pixels", pytest.fail) == path
    assert np.array_equal(np.load(path), ARRAYS["pixels"])
    one.close()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_goes_with_the_next_one_and_what_is_used_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    used = NodeArrays("used")
    used.path("pixels", lambda: ARRAYS["pixels"])
    left = NodeArrays("left")
    here = socket.gethostname()
    monkeypatch.setattr(socket, "gethostname", lambda: f"{here}-2")
    elsewhere = NodeArrays("elsewhere")
    monkeypatch.setattr(socket, "gethostname", lambda: here)
    for key in ("left", "elsewhere"):
        (folder,) = tmp_path.glob(f"*@{key}")
        (folder / "users" / str(os.getpid())).rename(folder / "users" / str(max(psutil.pids()) + 100_000))
    NodeArrays("new").close()
    assert sorted(one.name.rsplit("@", 1)[1] for one in tmp_path.iterdir()) == ["elsewhere", "used"]
    elsewhere.close()
    used.close()
    left.close()
    assert [one for one in tmp_path.iterdir() if any(one.iterdir())] == []


def test_a_node_without_room_is_an_error_that_names_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    arrays = NodeArrays("key")

    def full() -> np.ndarray:
        raise OSError(28, "No space left on device")

    with pytest.raises(WorkerError, match=r"No space left on device.*TMPDIR"):
        arrays.path("pixels", full)
    arrays.close()
