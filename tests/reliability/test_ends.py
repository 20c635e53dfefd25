"""However a run ends, that end is defined: its exit code, what is stored, and that nothing keeps running.

The processes are real, what their workers do is not: they stand still in the midst of a training until they are let go
on. Real trainings are killed in ``test_kills``.
"""

from __future__ import annotations

import contextlib
import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gated
import psutil
import pytest

from tinysearch.results.record import Record
from tinysearch.results.store import Store

Launch = Callable[..., subprocess.CompletedProcess[str]]
Begin = Callable[..., "Begun"]

RUN = ("run", "--name", "mine", "--trials", 3, "--budget", 3_000, "--epochs", 2, "--no-baselines", "--workers", 2)
RUN += ("--folds", 1, "--evaluate", 0)
# Long enough for a worker to start on a machine that has other work.
STALL = "6s"


class Begun:
    """A run in a process of its own."""

    def __init__(self, arguments: dict[str, Any]) -> None:
        self.process = psutil.Popen(**arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.said: list[str] = []

    def wait_for(self, pattern: str) -> str:
        """Read what it says until a line matches."""
        for line in self.process.stderr:
            self.said.append(line)
            if re.search(pattern, line):
                return str(line)
        raise AssertionError("".join(self.said))

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes.

        Those that are only just being started, which still look like their parent, are none: the parent waits for
        what they do next.
        """
        found = []
        for one in self.process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                if "workers.local.child" in " ".join(one.cmdline()):
                    found.append(one)
        return found

    def end(self) -> tuple[int, str]:
        """Wait for its end; return its exit code and all that it said."""
        with self.process.stderr as stream:
            self.said += stream
        return self.process.wait(), "".join(self.said)


@pytest.fixture
def may_go_on(tmp_path: Path) -> Path:
    """Return the file that trainings of this test wait for after each epoch."""
    return tmp_path / "may-go-on"


@pytest.fixture
def begin(prepare: Callable[..., dict[str, Any]], tiny: Path, tmp_path: Path, may_go_on: Path) -> Iterator[Begin]:
    """Return a function that starts a run in a folder and, unless told otherwise, waits for its first training."""
    begun: list[Begun] = []

    def start(*words: object, folder: Path = tmp_path, data: Path = tiny, training: bool = True, **gates: str) -> Begun:
        path = {"PYTHONPATH": str(Path(gated.__file__).parent)}
        made = prepare(folder, *(words or RUN), "--data", data, TEST_MAY_GO_ON=str(may_go_on), **path, **gates)
        made["args"][2] = gated.MAIN
        begun.append(Begun(made))
        if training:
            begun[-1].wait_for(r"training 1 of")
        return begun[-1]

    yield start
    for one in begun:
        with contextlib.suppress(psutil.NoSuchProcess):
            one.process.kill()
        one.process.stderr.close()


@pytest.fixture
def resume(call: Launch, tiny: Path, tmp_path: Path, untrained: None) -> Callable[..., list[Record]]:
    """Return a function that resumes the run and returns its records."""

    def go_on(folder: Path = tmp_path, data: Path = tiny) -> list[Record]:
        done = call(folder, "run", "--name", "mine", "--resume", "--data", data)
        assert done.returncode == 0, done.stderr
        return records(folder)

    return go_on


def records(folder: Path) -> list[Record]:
    with Store(folder / "store.db") as store:
        return store.records()


def is_finished(folder: Path) -> bool:
    with Store(folder / "store.db") as store:
        return store.run("mine").finished_at is not None


def essentials(record: Record) -> tuple[Any, ...]:
    curve = [(point.loss, point.val_accuracy) for point in record.measurement.curve]
    return record.key, record.trial, record.measurement.failure, curve, record.rejections


@pytest.fixture
def whole(call: Launch, tiny: Path, once: Callable[..., Any], untrained: None) -> list[tuple[Any, ...]]:
    """Return the essentials of a run that nothing has happened to."""

    def whole_run(folder: Path) -> list[tuple[Any, ...]]:
        done = call(folder, *RUN, "--data", tiny)
        assert done.returncode == 0, done.stderr
        return [essentials(record) for record in records(folder)]

    return list(once(whole_run))


def assert_ends(run: Begun, name: str, code: int) -> None:
    """Send a signal to a run; assert that it ends with its workers, and says how to go on if it can."""
    workers = run.workers()
    run.process.send_signal(getattr(signal, name))
    ended, said = run.end()
    assert ended == code
    assert psutil.wait_procs(workers, timeout=60)[1] == []
    assert "Traceback" not in said
    assert ("--resume" in said) == (name != "SIGKILL")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        pytest.param("SIGINT", 130, marks=pytest.mark.slow),
        pytest.param("SIGTERM", 143, marks=pytest.mark.slow),
        pytest.param("SIGHUP", 129, marks=pytest.mark.slow),
        ("SIGKILL", -9),
    ],
)
def test_a_signal_ends_a_run_and_its_workers_and_it_can_be_resumed(
    name: str, code: int, begin: Begin, resume: Callable[..., list[Record]], whole: list[tuple[Any, ...]]
) -> None:
    run = begin()
    assert len(run.workers()) == 2
    assert_ends(run, name, code)
    assert [essentials(record) for record in resume()] == whole


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "folds", "stage"),
    [("SIGTERM", 143, 1, "evaluation"), ("SIGKILL", -9, 1, "evaluation"), ("SIGKILL", -9, 2, "revalidation")],
)
def test_a_signal_while_the_winner_is_revalidated_or_evaluated_loses_nothing(
    name: str,
    code: int,
    folds: int,
    stage: str,
    begin: Begin,
    resume: Callable[..., list[Record]],
    less_tiny: Path,
    tmp_path: Path,
) -> None:
    words = (*RUN[:3], "--trials", 4, *RUN[5:-4], "--evaluate", 2, "--folds", folds)
    run = begin(*words, data=less_tiny, TEST_STAGE=stage, TEST_APART="0.04")
    run.wait_for({"evaluation": "the winner", "revalidation": "the leaders"}[stage])
    run.wait_for("training 1 of")
    assert_ends(run, name, code)
    assert not is_finished(tmp_path)
    searched = [record for record in records(tmp_path) if record.purpose == "search"]
    assert len(searched) == 4
    after = resume(data=less_tiny)
    assert is_finished(tmp_path)
    assert after[:4] == searched
    # Half as many as there are trials, if it is to be validated on more than one fold.
    again = [record for record in after if record.purpose == "revalidation"]
    assert [record.seed for record in again] == [1, 1] * (folds - 1)
    assert len({record.key for record in again}) == len(again)
    assert sorted(record.seed for record in after if record.test_accuracy is not None) == [0, 1]
    assert not any(record.failed for record in after)


@pytest.mark.slow
def test_a_signal_to_all_processes_of_a_run_is_no_failure_of_a_candidate(begin: Begin, tmp_path: Path) -> None:
    run = begin()
    for one in [*run.workers(), run.process]:
        one.send_signal(signal.SIGTERM)
    assert run.end()[0] == 143
    assert [record.measurement.failure for record in records(tmp_path) if record.failed] == []


@pytest.mark.slow
def test_workers_that_hang_while_they_start_are_replaced(
    begin: Begin, tmp_path: Path, may_go_on: Path, whole: list[tuple[Any, ...]]
) -> None:
    may_start = tmp_path / "may-start"
    run = begin(*RUN, "--stall-limit", STALL, training=False, TEST_MAY_START=str(may_start))
    while len(starting := run.workers()) < 2:
        assert run.process.poll() is None
    for worker in starting:
        worker.suspend()
    may_start.touch()
    may_go_on.touch()
    code, said = run.end()
    assert code == 0, said
    assert psutil.wait_procs(starting, timeout=60)[1] == []
    assert [essentials(record) for record in records(tmp_path)] == whole


@pytest.mark.slow
def test_a_run_survives_the_death_of_its_workers(
    begin: Begin, tmp_path: Path, may_go_on: Path, whole: list[tuple[Any, ...]]
) -> None:
    run = begin()
    for worker in run.workers():
        worker.kill()
    may_go_on.touch()
    code, said = run.end()
    assert code == 0, said
    assert [essentials(record) for record in records(tmp_path)] == whole


@pytest.mark.slow
def test_a_worker_that_hangs_is_given_up_and_recorded(begin: Begin, tmp_path: Path, may_go_on: Path) -> None:
    run = begin(*RUN, "--stall-limit", STALL)
    while len([*may_go_on.parent.glob(f"{may_go_on.name}.*")]) < 2:
        assert run.process.poll() is None
    stopped = run.workers()
    for worker in stopped:
        worker.suspend()
    may_go_on.touch()
    code, said = run.end()
    assert code == 0, said
    assert psutil.wait_procs(stopped, timeout=60)[1] == []
    failures = [record.measurement.failure for record in records(tmp_path)]
    assert failures == ["no epoch was finished for too long"] * 2 + [None]


@pytest.mark.slow
def test_a_second_run_of_the_name_is_refused_with_the_holder_and_a_dead_holder_is_none(
    begin: Begin, light: Launch, tiny: Path, resume: Callable[..., list[Record]]
) -> None:
    run = begin()
    for words in (("--resume",), ("--budget", 3_000)):
        refused = light("run", "--name", "mine", "--data", tiny, *words)
        assert refused.returncode == 2
        assert f"process {run.process.pid} on" in refused.stderr
    other = light("leaderboard")
    assert other.returncode == 0
    run.process.kill()
    run.process.wait()
    assert len(resume()) == 3


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="small disks are mounted on Linux only")
def test_a_full_disk_is_a_clear_error_and_after_space_is_freed_the_run_goes_on(
    begin: Begin,
    tmp_path: Path,
    may_go_on: Path,
    resume: Callable[..., list[Record]],
    whole: list[tuple[Any, ...]],
    needs: Callable[..., None],
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", disk], capture_output=True)
    needs(mounted.returncode == 0, "a small disk", "run the tests as root where tmpfs can be mounted")
    try:
        run = begin(folder=disk)
        with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
            for _ in itertools.count():
                filler.write(bytes(512))
        may_go_on.touch()
        code, said = run.end()
        assert code == 1
        assert "could not be written" in said
        assert "free some space" in said
        assert "--resume" in said
        assert "Traceback" not in said
        (disk / "filler").unlink()
        assert [essentials(record) for record in resume(disk)] == whole
    finally:
        subprocess.run(["umount", disk], check=True)
