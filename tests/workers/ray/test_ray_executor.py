"""What is wrong with a cluster's settings is said before anything is started."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import InputError, PluginError, WorkerError, WorkError
from tinysearch.executors import Ray
from tinysearch.results.record import Epoch
from tinysearch.results.store import Store
from tinysearch.runtime.environment import Environment
from tinysearch.training.job import Resources
from tinysearch.workers.contract import _job
from tinysearch.workers.executor import EpochDone
from tinysearch.workers.piped import Message
from tinysearch.workers.ray import executor, waiting
from tinysearch.workers.ray.cluster import Share

Light = Callable[..., Any]
ABOUT = {"environment": Environment.here().to_dict()}


def without_ray(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "ray" else find(name, *more))


def test_without_ray_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    without_ray(monkeypatch)
    with pytest.raises(PluginError, match="pip install ray"):
        Ray()


@pytest.mark.parametrize("words", [("run", "--budget", 3_000), ("evaluate", "mine"), ("reproduce",), ("frontier",)])
def test_every_command_with_a_cluster_says_what_is_missing(
    words: tuple[Any, ...], tinysearch: Light, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_ray(monkeypatch)
    Store(tmp_path / "store.db", create=True).close()
    done = tinysearch(*words, "--data", tiny, "--cluster", "auto")
    assert done.returncode == 2, done.stderr
    assert "pip install ray" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("nowhere", "is auto, local or HOST:PORT, got 'nowhere'"),
        ("head:port", "got 'head:port'"),
        (":6379", "got ':6379'"),
        ("ray://head:10001", "this machine has to be a node of the cluster"),
    ],
)
def test_an_address_that_is_none_is_an_error(address: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        Ray(address)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"workers": 0}, "at least 1 worker is needed, got 0"),
        ({"slots": 0}, "at least 1 slot, got 0"),
        ({"cpus": 0}, "got 0 CPUs and 0.0 GPUs"),
        ({"gpus": 0.5, "slots": 3}, "3 slots of 0.5 GPUs are 1.5"),
        ({"gpus": 0.4, "slots": 5}, "that its slots divide evenly; 5 slots of 0.4 GPUs are 2"),
        ({"gpus": 1.5, "slots": 2}, "that its slots divide evenly; 2 slots of 1.5 GPUs are 3"),
        ({"gpus": -1}, "got 1.0 CPUs and -1 GPUs"),
        ({"cpus": "2"}, "got '2' CPUs and 0.0 GPUs"),
        ({"workers": "2"}, "at least 1 worker is needed, got '2'"),
    ],
)
def test_settings_that_make_no_sense_are_errors(options: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Ray("local", **options)


class Silent:
    """Stands for the process that speaks to Ray: is connected, and says no more unless told to."""

    pid = 0

    def __init__(self, module: str, inbox: Any) -> None:
        self.inbox = inbox
        self.sent: list[dict[str, Any]] = []

    def send(self, message: dict[str, Any], payload: bytes | None = None) -> None:
        self.sent.append(message)
        if "share" in message:
            self.say("connected", count=1, wanted=message["workers"] or 1)

    def say(self, event: str, **values: Any) -> None:
        self.inbox.put(Message(self, event, values))

    def end(self, timeout: float) -> None:
        pass


def silent(monkeypatch: pytest.MonkeyPatch, address: str = "auto", **options: Any) -> Ray:
    """Return an executor that is connected to nothing."""
    monkeypatch.setattr(executor, "check_settings", lambda *given: None)
    monkeypatch.setattr(executor, "Piped", Silent)
    return Ray(address, **options)


def driver(ray: Ray) -> Silent:
    """Return what stands for the process that speaks to Ray."""
    return ray._driver  # type: ignore[return-value]


def tell(ray: Ray, event: str, **values: Any) -> None:
    driver(ray).say(event, **values)


def test_where_no_worker_is_ready_for_long_a_warning_says_what_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(waiting, "PATIENCE", 0.0)

    def waited(ray: Ray) -> list[str]:
        recwarn.clear()
        for _ in range(3):
            ray.wait(0)
        return [str(one.message) for one in recwarn]

    with silent(monkeypatch, gpus=1) as ray:
        assert waited(ray) == []
        ray.submit(_job(ray, 0))
        (text,) = waited(ray)
        assert "no worker has started on the Ray cluster auto for 0 seconds" in text
        assert "each takes 1 CPU and 1 GPU; `ray status` shows" in text
        tell(ray, "capacity", count=1, ready=1, about=ABOUT)
        assert waited(ray) == []
        # All of them are gone; it is another text, for Python shows one that it has shown no more.
        tell(ray, "capacity", count=1, ready=0)
        (text,) = waited(ray)
        assert "no worker is left on the Ray cluster auto for 0 seconds" in text


def test_time_in_which_nothing_was_to_be_trained_is_not_waited(
    monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    clock = [0.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: clock[0])
    watch = waiting.WaitingWatch("auto", Share())
    for now, has_jobs in ((0.0, True), (100.0, False), (500.0, True), (600.0, True)):
        clock[0] = now
        watch.look(has_jobs)
    assert len(recwarn) == 0
    clock[0] = 620.0
    watch.look(True)
    assert len(recwarn) == 1


def test_where_trainings_are_is_known_when_the_first_worker_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    there = {"environment": {**Environment.here().to_dict(), "processor": "another one"}}
    with silent(monkeypatch) as ray:
        handle = ray.submit(_job(ray, 0))
        tell(ray, "epoch", handle=handle, number=1, epoch=asdict(Epoch(1.0, 0.5, 1.0, 0.5, 0.1, 1.0)))
        tell(ray, "capacity", count=1, ready=1, about=there)
        assert ray.environment(Resources(2)).processor == "another one"
        assert ray.environment(Resources(2)).threads == "2"
        # What was heard meanwhile is not lost.
        event = ray.wait(0)
        assert isinstance(event, EpochDone)
        assert (event.handle, event.number) == (handle, 1)


def test_where_no_worker_is_ready_for_long_it_is_not_known_and_no_results_stand_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(executor, "_FIRST", 0.0)
    with silent(monkeypatch) as ray:
        here = Environment.here(1)
        assert ray.expected_environment(Resources(1)) == here
        assert {"do": "prepare", "count": 1} not in driver(ray).sent
        assert not ray.environment(Resources(1)).gives_equal_numbers(here)
        # A worker was asked for.
        assert driver(ray).sent[-1] == {"do": "prepare", "count": 1}
        tell(ray, "capacity", count=1, ready=1, about=ABOUT)
        ray.wait(0)
        assert ray.environment(Resources(1)).gives_equal_numbers(here)
        assert ray.expected_environment(Resources(1)) == ray.environment(Resources(1))


def test_what_was_heard_of_a_job_before_it_was_cancelled_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with silent(monkeypatch) as ray:
        handle = ray.submit(_job(ray, 0))
        tell(ray, "lost", handle=handle, reason="gone")
        tell(ray, "capacity", count=1, ready=1, about=ABOUT)
        ray.environment(Resources(1))
        ray.cancel(handle)
        assert ray.wait(0) is None


@pytest.mark.parametrize(
    ("variable", "options", "expected"),
    [
        (None, {}, "tensorflow"),
        ("jax", {}, "jax"),
        ("jax", {"runtime_env": {"env_vars": {"KERAS_BACKEND": "torch"}}}, "torch"),
    ],
)
def test_nodes_are_told_the_backend_of_the_search(
    variable: str | None, options: dict[str, Any], expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if variable is not None:
        monkeypatch.setenv("KERAS_BACKEND", variable)
    with silent(monkeypatch, **options) as ray:
        assert driver(ray).sent[0]["host"]["backend"] == expected


def test_a_backend_that_is_none_is_an_error_before_anything_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERAS_BACKEND", "theano")
    monkeypatch.setattr(executor, "check_settings", lambda *given: None)
    monkeypatch.setattr(executor, "Piped", lambda *given: pytest.fail("a process was started"))
    with pytest.raises(WorkError, match="KERAS_BACKEND must be one of tensorflow, jax, torch; got 'theano'"):
        Ray("auto")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("local", "this machine has room for 1 trainings at a time, of 64 wanted; each takes 1 CPU"),
        ("auto", "the Ray cluster auto has room for 1 trainings at a time, of 64 wanted; there will be more"),
    ],
)
def test_where_there_is_less_room_than_wanted_a_note_says_so(
    address: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent(monkeypatch, address, workers=64) as ray:
        assert words in (ray.note(0, Resources()) or "")


@pytest.mark.parametrize(("cpus", "threads"), [(0.5, 1), (1, 1), (4, 4), (2.5, 2)])
def test_a_training_has_as_many_threads_as_it_has_whole_cpus(
    cpus: float, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with silent(monkeypatch, cpus=cpus) as ray:
        assert ray.threads_per_job() == threads


def test_if_the_connection_cannot_be_made_nothing_is_said_of_trainings(monkeypatch: pytest.MonkeyPatch) -> None:
    class Ended(Silent):
        def send(self, message: dict[str, Any], payload: bytes | None = None) -> None:
            if "share" in message:
                self.inbox.put(Message(self, None, {}))

        def tail(self) -> str:
            return "Killed"

    monkeypatch.setattr(executor, "Piped", Ended)
    monkeypatch.setattr(executor, "check_settings", lambda *given: None)
    with pytest.raises(WorkerError, match="the driver process has ended, its last message was: Killed") as caught:
        Ray("auto")
    assert "resume" not in str(caught.value)


def test_an_executor_and_a_cluster_exclude_each_other(tinysearch: Light, tiny: Path) -> None:
    done = tinysearch("run", "--data", tiny, "--executor", "mine:Mine", "--cluster", "auto")
    assert done.returncode == 2, done.stderr
    assert "--executor mine:Mine and --cluster auto name different places" in " ".join(done.stderr.split())
