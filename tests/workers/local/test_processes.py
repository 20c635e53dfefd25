"""Whatever happens to a worker process costs one training, and is told with its reason."""

from __future__ import annotations

import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.errors import CostMismatchError, WorkerError
from tinysearch.results.predictions import unpack
from tinysearch.results.record import Epoch, Measurement
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import Job
from tinysearch.training.recipe import Recipe
from tinysearch.workers.local import processes
from tinysearch.workers.local.process import Process, _Watchdog
from tinysearch.workers.local.processes import WorkerProcesses

sys.path.insert(0, str(Path(__file__).parent))
import faulty

Make = Callable[..., WorkerProcesses]


@pytest.fixture
def data() -> TrainingData:
    rng = np.random.default_rng(0)

    def images(count: int) -> Images:
        labels = rng.integers(0, 10, count).astype(np.int32)
        return Images(rng.integers(0, 256, (count, 28, 28, 1)).astype(np.uint8), labels)

    return TrainingData(Task(), images(3_000), images(7), 255.0)


@pytest.fixture
def make(data: TrainingData) -> Iterator[Make]:
    made: list[WorkerProcesses] = []

    def maker(**options: Any) -> WorkerProcesses:
        made.append(WorkerProcesses(data, **{"trainer": "faulty:train", "stall_seconds": 60.0, **options}))
        return made[-1]

    yield maker
    for worker in made:
        worker.close()
        assert worker.pids() == []


def job(width: int, folder: Path | None = None) -> Job:
    candidate = Candidate(Architecture((Conv(width),), Head("average")), Recipe())
    return Job(candidate, 0, "", None if folder is None else folder / "model.keras")


def test_a_process_gets_the_images_and_tells_epochs_and_measurement(make: Make, data: TrainingData) -> None:
    seen: list[tuple[int, Epoch]] = []
    measurement = make().train(job(faulty.FINE), lambda number, epoch: seen.append((number, epoch)))
    assert seen == [(1, faulty.epoch(0.5))]
    assert measurement.failure is None
    mean = float(data.train.pixels.mean()), int(data.train.labels.sum()), 7
    assert measurement.log == str(mean)


def test_test_images_are_sent_without_labels_and_predictions_come_back(data: TrainingData) -> None:
    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 28, 28, 1), np.uint8)
    worker = WorkerProcesses(replace(data, test=pixels), trainer="faulty:train", stall_seconds=60.0)
    predicted = worker.train(job(faulty.FINE)).predicted
    worker.close()
    assert predicted is not None
    assert unpack(predicted).tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("width", "reason"),
    [
        (faulty.KILLED, "killed by SIGKILL, as the system does when memory runs out, twice"),
        (faulty.EXITS, "ended with exit code 3, twice"),
        (faulty.RAISES, "ValueError: cannot be built"),
    ],
)
def test_what_goes_wrong_is_a_failure_with_its_reason_and_the_next_training_is_fine(
    width: int, reason: str, make: Make
) -> None:
    worker = make()
    measurement = worker.train(job(width))
    assert measurement.failure is not None
    assert measurement.failure.endswith(reason)
    assert measurement.log.startswith(f"about to do {width}")
    assert ("Traceback" in measurement.log) == (width == faulty.RAISES)
    assert worker.train(job(faulty.FINE)).failure is None


def test_a_training_whose_process_was_killed_is_tried_once_more(make: Make, tmp_path: Path) -> None:
    assert make().train(job(faulty.KILLED_ONCE, tmp_path)).failure is None


@pytest.mark.parametrize("width", [faulty.HANGS, faulty.STOPS])
def test_a_training_that_hangs_is_given_up(width: int, make: Make) -> None:
    worker = make(stall_seconds=4.0)
    measurement = worker.train(job(width))
    assert measurement.failure == "no epoch was finished for too long"
    assert worker.pids() == []


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_process_that_wants_more_memory_than_its_limit_fails_and_not_the_machine(make: Make) -> None:
    measurement = make(memory_bytes=600_000_000).train(job(faulty.HUNGRY))
    assert measurement.failure is not None
    assert "MemoryError" in measurement.failure


def test_a_mismatch_of_costs_is_an_error_and_not_a_failure(make: Make) -> None:
    with pytest.raises(CostMismatchError, match="counted wrongly"):
        make().train(job(faulty.MISMATCH))


def test_what_a_training_prints_does_not_get_between_the_messages(make: Make) -> None:
    assert make().train(job(faulty.CHATTY)).failure is None


def test_what_cannot_be_started_at_all_is_an_error_with_the_log(make: Make) -> None:
    with pytest.raises(WorkerError, match=r"(?s)could not be started.*No module named 'nothing'"):
        make(trainer="nothing:train").train(job(faulty.FINE))


@pytest.mark.parametrize(("failures", "fails"), [(2, False), (3, True)])
def test_a_machine_that_is_short_of_something_for_a_moment_is_asked_again(
    make: Make, monkeypatch: pytest.MonkeyPatch, failures: int, fails: bool
) -> None:
    calls = itertools.count(1)

    def process(settings: dict[str, Any]) -> Process:
        if next(calls) <= failures:
            raise OSError("no room for another process")
        return Process(settings)

    monkeypatch.setattr(processes, "Process", process)
    if fails:
        with pytest.raises(WorkerError, match="no room for another process"):
            make().train(job(faulty.FINE))
    else:
        assert make().train(job(faulty.FINE)).failure is None


def test_a_process_is_replaced_after_some_trainings_and_after_a_failure(make: Make) -> None:
    worker = make(trainings=2)
    pids = [worker.train(job(faulty.FINE)).train_seconds for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    worker.train(job(faulty.RAISES))
    assert worker.pids() == []


def test_a_process_that_was_killed_while_it_had_nothing_to_do_costs_nothing(make: Make) -> None:
    worker = make()
    worker.train(job(faulty.FINE))
    (pid,) = worker.pids()
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait(timeout=60)
    assert worker.train(job(faulty.FINE)).failure is None


def test_several_trainings_at_a_time_have_a_process_each(make: Make) -> None:
    worker = make(trainings=100)
    worker.prepare(3)
    with ThreadPoolExecutor(3) as threads:
        done = list(threads.map(lambda _: worker.train(job(faulty.FINE)), range(12)))
    assert all(one.failure is None for one in done)
    assert len(worker.pids()) == 3


def test_closing_ends_trainings_under_way(make: Make) -> None:
    worker, ready = make(), threading.Semaphore(0)
    with ThreadPoolExecutor(2) as threads:
        begun = [threads.submit(worker.train, job(faulty.HANGS), lambda *_: ready.release()) for _ in range(2)]
        for _ in begun:
            ready.acquire()
        worker.close()
        for one in begun:
            with pytest.raises(WorkerError, match="stopped"):
                one.result()
    with pytest.raises(WorkerError, match="stopped"):
        worker.train(job(faulty.FINE))


def left() -> tuple[int, int]:
    """Return how many descriptors are open, and how many child processes there are, zombies too."""
    return len(list(Path("/proc/self/fd").iterdir())), len(psutil.Process().children())


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted on Linux only")
def test_closing_leaves_no_process_and_no_descriptor(make: Make) -> None:
    before = left()
    worker, ready = make(), threading.Semaphore(0)
    worker.prepare(1)
    worker.train(job(faulty.FINE))
    with ThreadPoolExecutor(2) as threads:
        for _ in range(2):
            threads.submit(worker.train, job(faulty.HANGS), lambda *_: ready.release())
        for _ in range(2):
            ready.acquire()
        worker.close()
        assert worker.pids() == []
        assert psutil.Process().children() == []
    assert left() == before


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted on Linux only")
def test_a_training_that_ends_while_all_is_closed_leaves_nothing_either(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Closing(Process):
        def train(self, *arguments: Any) -> Measurement:
            measurement = super().train(*arguments)
            worker.close()
            return measurement

    monkeypatch.setattr(processes, "Process", Closing)
    before, worker = left(), make()
    assert worker.train(job(faulty.FINE)).failure is None
    assert left() == before


def test_a_reset_that_comes_during_a_tick_of_the_watchdog_is_not_lost() -> None:
    ticks = itertools.count()
    made, enough, bitten = threading.Event(), threading.Event(), threading.Event()

    class Seconds(float):
        """Is reset whenever a tick is taken from it."""

        def __sub__(self, other: float) -> Seconds:
            made.wait()
            watchdog.reset()
            if next(ticks) == 30:
                enough.set()
            return Seconds(float(self) - other)

    def bite() -> None:
        bitten.set()
        enough.set()

    watchdog = _Watchdog(Seconds(0.01), bite)
    made.set()
    enough.wait()
    watchdog.stop()
    assert not bitten.is_set()


@pytest.mark.parametrize(
    ("trainer", "limit", "remedy"),
    [
        ("faulty:starve", None, r"GB can be used now; give fewer --workers.*--worker-memory"),
        ("faulty:refuse", 600_000_000, r"each may have 0\.6 GB.*a larger --worker-memory, and fewer --workers"),
    ],
)
def test_one_end_for_want_of_memory_after_another_is_an_error_and_not_a_failure_of_each_candidate(
    make: Make, trainer: str, limit: int | None, remedy: str
) -> None:
    worker = make(trainer=trainer, memory_bytes=limit)
    # A training whose process was killed is tried twice.
    for width in range(20, 22 if limit is None else 25):
        assert worker.train(job(width)).failure is not None
    with pytest.raises(WorkerError, match=f"(?s)6 worker processes in a row ran out of memory.*{remedy}"):
        worker.train(job(30))


def test_a_training_that_is_finished_between_ends_the_row(make: Make) -> None:
    worker = make(trainer="faulty:starve")
    for _ in range(2):
        assert [worker.train(job(width)).failure is None for width in (20, 21, faulty.FINE)] == [False, False, True]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_is_meant_for_the_parent_does_not_end_a_process(name: str, make: Make) -> None:
    worker = make()
    first = worker.train(job(faulty.FINE)).train_seconds
    os.kill(int(first), getattr(signal, name))
    assert worker.train(job(faulty.FINE)).train_seconds == first


PARENT = """
import sys, os, signal
sys.path.insert(0, sys.argv[1])
import numpy as np
import faulty
from test_processes import job
from tinysearch.data.dataset import TrainingData
from tinysearch.data.images import Images
from tinysearch.workers.local import processes
from tinysearch.workers.local.process import Process
from tinysearch.workers.local.processes import WorkerProcesses
from tinysearch.space.task import Task
images = Images(np.zeros((20, 28, 28, 1), np.uint8), np.arange(20, dtype=np.int32) % 10)
worker = WorkerProcesses(TrainingData(Task(), images, images, 255.0), trainer="faulty:train", stall_seconds=600)
worker.prepare(2)
def tell(number, epoch):
    print(*worker.pids(), flush=True)
worker.train(job(int(sys.argv[2])), tell)
"""


@pytest.mark.parametrize("width", [faulty.HANGS, faulty.STOPS])
def test_no_process_outlives_its_parent_however_that_ends(width: int) -> None:
    if width == faulty.STOPS and sys.platform != "linux":
        pytest.skip("a stopped process is ended with its parent on Linux only")
    command = [sys.executable, "-c", PARENT, str(Path(__file__).parent), str(width)]
    with psutil.Popen(command, stdout=-1, text=True) as parent:
        children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
        assert len(children) == 2
        parent.kill()
        _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
