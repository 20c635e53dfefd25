"""Whatever happens to a worker process costs one training, and is told with its reason."""

from __future__ import annotations

import itertools
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.errors import CostMismatchError, WorkerError
from tinysearch.results.predictions import unpack
from tinysearch.results.record import Measurement
from tinysearch.runtime import cores
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job, Outcome, Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.executor import EpochDone, Event, JobDone
from tinysearch.workers.local import executor as local
from tinysearch.workers.local.arrays import SharedArrays
from tinysearch.workers.local.executor import LocalExecutor
from tinysearch.workers.local.process import Process
from tinysearch.workers.sharing import share

sys.path.insert(0, str(Path(__file__).parent))
import faulty

Make = Callable[..., LocalExecutor]
Do = Callable[..., Measurement]


@pytest.fixture(scope="module")
def images() -> Dataset:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (3_000, 28, 28, 1)).astype(np.uint8)
    labels = rng.integers(0, 10, 3_000).astype(np.int32)
    return Dataset("noise", "a test", Task(), Images(pixels, labels), "0123456789abcdef", 255.0, None, pytest.fail)


@pytest.fixture(scope="module")
def data(images: Dataset) -> Iterator[DataReference]:
    """The images in files, which no executor of a test removes."""
    arrays = SharedArrays()
    yield DataReference(
        arrays.add("pixels", images.train.pixels), arrays.add("labels", images.train.labels), "", (28, 28, 1), 10, 255.0
    )
    arrays.close()


@pytest.fixture
def make() -> Iterator[Make]:
    made: list[LocalExecutor] = []

    def maker(workers: int = 1, **options: Any) -> LocalExecutor:
        made.append(LocalExecutor(workers, **{"trainer": "faulty:train", "stall_seconds": 60.0, **options}))
        return made[-1]

    yield maker
    for executor in made:
        executor.close()
        assert executor.pids() == []


@pytest.fixture
def job(data: DataReference) -> Callable[..., Job]:
    def of(width: int, **options: Any) -> Job:
        return Job(Candidate(Architecture((Conv(width),), Head("average")), Recipe()), 0, data, **options)

    return of


@pytest.fixture
def do(job: Callable[..., Job]) -> Do:
    """Return a function that has a job done, and returns what was measured."""

    def train(executor: LocalExecutor, width: int, **options: Any) -> Measurement:
        (outcome,) = outcomes(executor, [job(width, **options)])
        return outcome.measurement

    return train


def outcomes(executor: LocalExecutor, jobs: list[Job]) -> list[Outcome]:
    """Have jobs done; return what came of each."""
    handles = [executor.submit(one) for one in jobs]
    done: dict[Any, Outcome] = {}
    while len(done) < len(jobs):
        event = executor.wait()
        if isinstance(event, JobDone):
            done[event.handle] = event.outcome
    return [done[handle] for handle in handles]


def first_epochs(executor: LocalExecutor, count: int) -> list[Event]:
    """Wait until so many epochs are over."""
    seen: list[Event] = []
    while len(seen) < count:
        event = executor.wait()
        if event is not None:
            seen.append(event)
    return seen


def test_a_process_gets_the_images_and_tells_epochs_and_measurement(
    make: Make, images: Dataset, job: Callable[..., Job]
) -> None:
    executor = make()
    handle = executor.submit(job(faulty.FINE))
    assert executor.wait() == EpochDone(handle, 1, faulty.epoch(0.5))
    done = executor.wait()
    assert isinstance(done, JobDone)
    assert done.handle == handle
    assert done.outcome.environment == executor.environment(Resources())
    measurement = done.outcome.measurement
    assert measurement.failure is None
    rest = images.training_data()
    assert measurement.log == str((float(rest.train.pixels.mean()), int(rest.train.labels.sum()), 300, None))


def test_states_and_models_are_bytes_that_come_where_they_are_asked_for(make: Make, job: Callable[..., Job]) -> None:
    executor = make()
    handle = executor.submit(job(faulty.FINE, keep_states=True, keep_model=True, state=b"before"))
    assert executor.wait() == EpochDone(handle, 1, faulty.epoch(0.5), b"state")
    done = executor.wait()
    assert isinstance(done, JobDone)
    assert done.outcome.model == b"model"
    assert done.outcome.measurement.log.endswith("b'before')")


def test_states_may_be_larger_than_what_a_pipe_holds(make: Make, do: Do) -> None:
    large = bytes(3_000_000)
    assert len(do(make(), faulty.FINE, state=large).log) > 3_000_000


def test_test_images_are_shared_without_labels_and_predictions_come_back(make: Make, images: Dataset) -> None:
    pixels = np.arange(5, dtype=np.uint8)[:, None, None, None] * np.ones((1, 28, 28, 1), np.uint8)
    executor = make()
    where = share(executor, images, test=("mark", pixels))
    candidate = Candidate(Architecture((Conv(faulty.FINE),), Head("average")), Recipe())
    (outcome,) = outcomes(executor, [Job(candidate, 0, where)])
    assert outcome.measurement.predicted is not None
    assert unpack(outcome.measurement.predicted).tolist() == [0, 1, 2, 3, 4]
    folder = Path(where.pixels).parent
    assert sorted(path.name for path in folder.iterdir()) == [
        "0123456789abcdef-labels.npy",
        "0123456789abcdef-pixels.npy",
        "mark-test.npy",
    ]
    assert share(executor, images).pixels == where.pixels
    executor.close()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("width", "reason"),
    [
        (faulty.KILLED, "killed by SIGKILL, as the system does when memory runs out, twice"),
        (faulty.EXITS, "ended with exit code 3, twice"),
        (faulty.RAISES, "ValueError: cannot be built"),
    ],
)
def test_what_goes_wrong_is_a_failure_with_its_reason_and_the_next_training_is_fine(
    width: int, reason: str, make: Make, do: Do
) -> None:
    executor = make()
    measurement = do(executor, width)
    assert measurement.failure is not None
    assert measurement.failure.endswith(reason)
    assert measurement.log.startswith(f"about to do {width}")
    assert ("Traceback" in measurement.log) == (width == faulty.RAISES)
    assert do(executor, faulty.FINE).failure is None


def test_a_training_whose_process_was_killed_is_tried_once_more_from_its_last_epoch(make: Make, do: Do) -> None:
    measurement = do(make(), faulty.KILLED_ONCE, keep_states=True)
    assert measurement.failure is None
    assert measurement.log.endswith("b'state')")


@pytest.mark.parametrize("width", [faulty.HANGS, pytest.param(faulty.STOPS, marks=pytest.mark.slow)])
def test_a_training_that_hangs_is_given_up(width: int, make: Make, do: Do) -> None:
    executor = make(stall_seconds=4.0)
    assert do(executor, width).failure == "no epoch was finished for too long"
    assert executor.pids() == []


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_process_that_wants_more_memory_than_its_limit_fails_and_not_the_machine(make: Make, do: Do) -> None:
    measurement = do(make(), faulty.HUNGRY, resources=Resources(memory_bytes=600_000_000))
    assert measurement.failure is not None
    assert "MemoryError" in measurement.failure


def test_a_mismatch_of_costs_is_an_error_and_not_a_failure(make: Make, do: Do) -> None:
    with pytest.raises(CostMismatchError, match="counted wrongly"):
        do(make(), faulty.MISMATCH)


def test_what_a_training_prints_does_not_get_between_the_messages(make: Make, do: Do) -> None:
    assert do(make(), faulty.CHATTY).failure is None


def test_what_cannot_be_started_at_all_is_an_error_with_the_log(make: Make, do: Do) -> None:
    with pytest.raises(WorkerError, match=r"(?s)could not be started.*No module named 'nothing'"):
        do(make(trainer="nothing:train"), faulty.FINE)


@pytest.mark.parametrize(("failures", "fails"), [(2, False), (3, True)])
def test_a_machine_that_is_short_of_something_for_a_moment_is_asked_again(
    make: Make, do: Do, monkeypatch: pytest.MonkeyPatch, failures: int, fails: bool
) -> None:
    calls = itertools.count(1)

    def process(*arguments: Any) -> Process:
        if next(calls) <= failures:
            raise OSError("no room for another process")
        return Process(*arguments)

    monkeypatch.setattr(local, "Process", process)
    if fails:
        with pytest.raises(WorkerError, match="no room for another process"):
            do(make(), faulty.FINE)
    else:
        assert do(make(), faulty.FINE).failure is None


def test_a_process_is_replaced_after_some_trainings_and_after_a_failure(make: Make, do: Do) -> None:
    executor = make(trainings=2)
    pids = [do(executor, faulty.FINE).train_seconds for _ in range(4)]
    assert pids[0] == pids[1] != pids[2] == pids[3]
    do(executor, faulty.RAISES)
    assert executor.pids() == []


def test_a_process_that_was_killed_while_it_had_nothing_to_do_costs_nothing(make: Make, do: Do) -> None:
    executor = make()
    do(executor, faulty.FINE)
    (pid,) = executor.pids()
    os.kill(pid, signal.SIGKILL)
    psutil.Process(pid).wait(timeout=60)
    assert do(executor, faulty.FINE).failure is None


def test_several_trainings_at_a_time_have_a_process_each(make: Make, job: Callable[..., Job]) -> None:
    executor = make(3, trainings=100)
    executor.prepare(3, Resources())
    assert all(one.measurement.failure is None for one in outcomes(executor, [job(faulty.FINE)] * 12))
    assert len(executor.pids()) == 3


def test_what_is_more_than_there_are_workers_waits(make: Make, job: Callable[..., Job]) -> None:
    executor = make(1)
    first, second = executor.submit(job(faulty.HANGS)), executor.submit(job(faulty.FINE))
    assert [event.handle for event in first_epochs(executor, 1)] == [first]
    executor.cancel(first)
    third = executor.submit(job(faulty.FINE))
    ended = [event.handle for event in first_epochs(executor, 4) if isinstance(event, JobDone)]
    assert ended == [second, third]


def test_jobs_with_other_resources_get_a_process_of_their_own(make: Make, do: Do) -> None:
    executor = make(1)
    one = do(executor, faulty.FINE, resources=Resources(threads=1)).train_seconds
    assert do(executor, faulty.FINE, resources=Resources(threads=2)).train_seconds != one
    assert len(executor.pids()) == 1


def test_a_job_that_was_cancelled_is_heard_of_no_more(make: Make, job: Callable[..., Job]) -> None:
    executor = make(2)
    handles = [executor.submit(job(faulty.HANGS)) for _ in range(2)]
    first_epochs(executor, 2)
    for handle in (*handles, handles[0], "unknown"):
        executor.cancel(handle)
    assert executor.pids() == []
    assert executor.wait(0) is None
    assert outcomes(executor, [job(faulty.FINE)])[0].measurement.failure is None


def left() -> tuple[int, int]:
    """Return how many descriptors are open, and how many child processes there are, zombies too."""
    return len(list(Path("/proc/self/fd").iterdir())), len(psutil.Process().children())


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted on Linux only")
def test_closing_leaves_no_process_and_no_descriptor(make: Make, do: Do, job: Callable[..., Job]) -> None:
    before = left()
    executor = make(3)
    executor.prepare(1, Resources())
    do(executor, faulty.FINE)
    for _ in range(2):
        executor.submit(job(faulty.HANGS))
    first_epochs(executor, 2)
    executor.close()
    executor.close()
    assert executor.pids() == []
    assert left() == before
    with pytest.raises(WorkerError, match="stopped"):
        executor.submit(job(faulty.FINE))


@pytest.mark.skipif(sys.platform != "linux", reason="descriptors are counted on Linux only")
def test_an_executor_that_is_forgotten_leaves_nothing_behind(job: Callable[..., Job]) -> None:
    before = left()
    executor = LocalExecutor(1, trainer="faulty:train")
    executor.submit(job(faulty.HANGS))
    first_epochs(executor, 1)
    del executor
    assert left() == before


def test_gpus_are_dealt_out_in_turn(make: Make, job: Callable[..., Job]) -> None:
    executor = make(3, trainer="faulty:tell_gpu", gpus=("0", "GPU-1"))
    told = [one.measurement.log for one in outcomes(executor, [job(faulty.FINE)] * 3)]
    assert sorted(told) == ["0 false", "0 false", "GPU-1 false"]


@pytest.mark.parametrize(
    ("trainer", "limit", "remedy"),
    [
        ("faulty:starve", None, r"GB can be used now; give fewer workers.*the memory of each worker"),
        ("faulty:refuse", 600_000_000, r"each may have 0\.6 GB.*more memory, and fewer workers"),
    ],
)
def test_one_end_for_want_of_memory_after_another_is_an_error_and_not_a_failure_of_each_candidate(
    make: Make, do: Do, trainer: str, limit: int | None, remedy: str
) -> None:
    executor, resources = make(trainer=trainer), Resources(memory_bytes=limit)
    # A training whose process was killed is tried twice.
    for width in range(20, 22 if limit is None else 25):
        assert do(executor, width, resources=resources).failure is not None
    with pytest.raises(WorkerError, match=f"(?s)6 worker processes in a row ran out of memory.*{remedy}"):
        do(executor, 30, resources=resources)


def test_a_training_that_is_finished_between_ends_the_row(make: Make, do: Do) -> None:
    executor = make(trainer="faulty:starve")
    for _ in range(2):
        assert [do(executor, width).failure is None for width in (20, 21, faulty.FINE)] == [False, False, True]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_is_meant_for_the_parent_does_not_end_a_process(name: str, make: Make, do: Do) -> None:
    executor = make()
    first = do(executor, faulty.FINE).train_seconds
    os.kill(int(first), getattr(signal, name))
    assert do(executor, faulty.FINE).train_seconds == first


PARENT = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np
import faulty
from tinysearch.runtime import cores
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.training.candidate import Candidate
from tinysearch.training.job import DataReference, Job, Resources
from tinysearch.training.recipe import Recipe
from tinysearch.workers.local.executor import LocalExecutor
executor = LocalExecutor(2, trainer="faulty:train")
pixels = executor.share("pixels", np.zeros((20, 28, 28, 1), np.uint8))
labels = executor.share("labels", np.arange(20, dtype=np.int32) % 10)
executor.prepare(2, Resources())
candidate = Candidate(Architecture((Conv(int(sys.argv[2])),), Head("average")), Recipe())
executor.submit(Job(candidate, 0, DataReference(pixels, labels, "", (28, 28, 1), 10, 255.0)))
executor.wait()
print(*executor.pids(), pixels, flush=True)
executor.wait()
"""


@pytest.mark.parametrize("width", [faulty.HANGS, pytest.param(faulty.STOPS, marks=pytest.mark.slow)])
def test_no_process_outlives_its_parent_and_the_next_one_removes_its_images(width: int) -> None:
    if width == faulty.STOPS and sys.platform != "linux":
        pytest.skip("a stopped process is ended with its parent on Linux only")
    command = [sys.executable, "-c", PARENT, str(Path(__file__).parent), str(width)]
    with psutil.Popen(command, stdout=-1, text=True) as parent:
        *pids, pixels = parent.stdout.readline().split()
        children = [psutil.Process(int(pid)) for pid in pids]
        assert len(children) == 2
        parent.kill()
        _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    assert Path(pixels).exists()
    arrays = SharedArrays()
    arrays.add("any", np.zeros(3))
    arrays.close()
    assert not Path(pixels).parent.exists()


def test_an_array_that_is_mapped_from_a_file_is_not_written_again(tmp_path: Path) -> None:
    np.save(tmp_path / "pixels.npy", np.arange(10))
    whole = np.load(tmp_path / "pixels.npy", mmap_mode="r")
    arrays = SharedArrays()
    assert arrays.add("whole", whole) == str(tmp_path / "pixels.npy")
    assert arrays.add("part", whole[2:]) != str(tmp_path / "pixels.npy")
    arrays.close()


def test_images_that_find_no_room_are_an_error_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    with pytest.raises(WorkerError, match=r"images.*cannot be written.*TMPDIR"):
        SharedArrays().add("pixels", np.zeros(3))


def test_trainings_have_equal_shares_of_the_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores, "usable_cores", lambda: 8)
    for workers, threads in ((1, 8), (3, 2), (16, 1)):
        with LocalExecutor(workers) as executor:
            assert executor.threads_per_job() == threads
