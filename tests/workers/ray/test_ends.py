"""However a run on a cluster ends, nothing of it keeps running there, and it can be resumed.

The cluster and the processes are real, what is trained is not: see ``gated``.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gated
import psutil
import pytest

from tinysearch.results.record import Record
from tinysearch.results.store import Store

pytestmark = pytest.mark.cluster

RUN = ("run", "--name", "mine", "--trials", 4, "--budget", 3_000, "--epochs", 2, "--no-baselines", "--lag", 2)
RUN += ("--folds", 1, "--evaluate", 0, "--workers", 2)
# Runs the command line with the trainer of ``gated``, here and on the nodes, which wait for the file of this test.
MAIN = (
    "import os; from tinysearch.workers.ray.executor import RayExecutor; "
    "RayExecutor.__init__.__kwdefaults__.update(trainer='gated:train', runtime_env={'env_vars': "
    "{'TEST_MAY_GO_ON': os.environ['TEST_MAY_GO_ON']}}); "
) + gated.MAIN


@pytest.fixture
def may_go_on(tmp_path: Path) -> Path:
    """Return the file that trainings of this test wait for after each epoch."""
    return tmp_path / "may-go-on"


@pytest.fixture
def command(
    prepare: Callable[..., dict[str, Any]], tiny: Path, tmp_path: Path, may_go_on: Path, hasty: dict[str, str]
) -> Callable[..., dict[str, Any]]:
    """Return a function that gives the arguments of a run in a process of its own."""

    def of(*words: object) -> dict[str, Any]:
        made = prepare(tmp_path, *words, "--data", tiny, TEST_MAY_GO_ON=str(may_go_on), **hasty)
        made["args"][2] = MAIN
        return made

    return of


@pytest.fixture
def begin(command: Callable[..., dict[str, Any]], may_go_on: Path) -> Iterator[Callable[..., Any]]:
    """Return a function that starts a run on a cluster and waits until two trainings are under way there.

    What it returns are the process of the run, and those of the trainings.
    """
    begun: list[subprocess.Popen[str]] = []

    def start(address: str) -> tuple[subprocess.Popen[str], list[psutil.Process]]:
        process = subprocess.Popen(**command(*RUN, "--cluster", address), stderr=subprocess.PIPE)
        begun.append(process)
        while len(waiting := list(may_go_on.parent.glob(f"{may_go_on.name}.*"))) < 2:
            assert process.poll() is None, process.communicate()
        return process, [psutil.Process(int(one.suffix[1:])) for one in waiting]

    yield start
    for one in begun:
        one.kill()
        one.communicate()


@pytest.fixture
def resume(
    command: Callable[..., dict[str, Any]],
    call: Callable[..., Any],
    tiny: Path,
    tmp_path: Path,
    may_go_on: Path,
    untrained: None,
) -> Callable[..., list[Any]]:
    """Return a function that lets trainings go on, resumes the run, and returns what is told of each record.

    It goes on on a cluster, if one is named, or here.
    """

    def go_on(address: str | None = None) -> list[Any]:
        may_go_on.touch()
        words = ("run", "--name", "mine", "--resume")
        done = (
            call(tmp_path, *words, "--data", tiny)
            if address is None
            else subprocess.run(
                **command(*words, "--workers", 2, "--cluster", address), capture_output=True, timeout=180
            )
        )
        assert done.returncode == 0, done.stderr
        return [essentials(one) for one in records(tmp_path)]

    return go_on


@pytest.fixture
def whole(call: Callable[..., Any], tiny: Path, once: Callable[..., Any], untrained: None) -> list[Any]:
    """Return what is told of the records of a run on this machine that nothing has happened to."""

    def whole_run(folder: Path) -> list[Any]:
        done = call(folder, *RUN, "--data", tiny)
        assert done.returncode == 0, done.stderr
        return [essentials(one) for one in records(folder)]

    return list(once(whole_run))


def records(folder: Path) -> list[Record]:
    with Store(folder / "store.db") as store:
        return store.records()


def essentials(record: Record) -> tuple[Any, ...]:
    curve = [(point.loss, point.val_accuracy) for point in record.measurement.curve]
    return record.key, record.trial, record.measurement.failure, curve, record.rejections


def assert_gone(trainings: list[psutil.Process]) -> None:
    assert psutil.wait_procs(trainings, timeout=60)[1] == []


@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGKILL", -9)])
def test_a_signal_to_the_run_ends_its_trainings_on_the_cluster_and_it_can_be_resumed(
    name: str, code: int, cluster: Any, begin: Any, resume: Callable[..., list[Any]], whole: list[Any]
) -> None:
    run, trainings = begin(cluster.address)
    run.send_signal(getattr(signal, name))
    said = run.communicate(timeout=120)[1]
    assert run.returncode == code, said
    assert "Traceback" not in said
    assert (f"--cluster {cluster.address}" in said) == (name != "SIGKILL")
    assert_gone(trainings)
    assert resume(cluster.address if name == "SIGKILL" else None) == whole


def test_the_death_of_the_head_is_a_clear_error_and_the_run_goes_on_elsewhere(
    start: Any, begin: Any, resume: Callable[..., list[Any]], whole: list[Any]
) -> None:
    nodes = start(1)
    run, trainings = begin(nodes.address)
    nodes.kill_head()
    said = run.communicate(timeout=120)[1]
    assert run.returncode == 1, said
    assert re.search(r"connection to the Ray cluster .* was\s+lost", said)
    assert "--resume" in said
    assert "Traceback" not in said
    assert_gone(trainings)
    assert resume() == whole


def test_a_cluster_of_this_machine_alone_ends_with_the_run(
    command: Callable[..., dict[str, Any]], may_go_on: Path, whole: list[Any], tmp_path: Path, needs: Any
) -> None:
    may_go_on.touch()
    before = {process.pid for process in psutil.process_iter() if _of_ray(process)}
    done = subprocess.run(**command(*RUN, "--cluster", "local"), capture_output=True, timeout=180)
    assert done.returncode == 0, done.stderr
    assert [essentials(one) for one in records(tmp_path)] == whole
    left = [one for one in psutil.process_iter() if one.pid not in before and _of_ray(one) and _is_ours(one, tmp_path)]
    assert psutil.wait_procs(left, timeout=60)[1] == []


def _of_ray(process: psutil.Process) -> bool:
    try:
        return process.name() in ("raylet", "gcs_server")
    except psutil.Error:
        return False


def _is_ours(process: psutil.Process, folder: Path) -> bool:
    try:
        return process.cwd() == os.fspath(folder)
    except psutil.Error:
        return False
