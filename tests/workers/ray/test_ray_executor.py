"""What is wrong with a cluster's settings is said before anything is started."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import InputError, PluginError
from tinysearch.executors import Ray
from tinysearch.results.store import Store
from tinysearch.runtime.environment import Environment
from tinysearch.workers.contract import _job
from tinysearch.workers.piped import Message
from tinysearch.workers.ray import executor

Light = Callable[..., Any]


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
        ("ray://head:10001", "its machine has to join it"),
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

    def send(self, message: dict[str, Any], payload: bytes | None = None) -> None:
        if "share" in message:
            self.say("connected", count=1, wanted=1)

    def say(self, event: str, **values: Any) -> None:
        self.inbox.put(Message(self, event, values))

    def end(self, timeout: float) -> None:
        pass


@pytest.mark.parametrize("ready", [False, True])
def test_where_no_worker_starts_for_long_a_warning_says_what_is_waited_for(
    ready: bool, monkeypatch: pytest.MonkeyPatch, recwarn: pytest.WarningsRecorder
) -> None:
    monkeypatch.setattr(executor, "_check", lambda *given: None)
    monkeypatch.setattr(executor, "Piped", Silent)
    monkeypatch.setattr(executor, "_PATIENCE", 0.0)
    with Ray("auto", gpus=1) as ray:
        ray.wait(0)
        assert len(recwarn) == 0
        ray.submit(_job(ray, 0))
        if ready:
            ray._driver.say("capacity", count=1, about={"environment": Environment.here().to_dict()})  # type: ignore[attr-defined]
        for _ in range(3):
            ray.wait(0)
    said = [str(one.message) for one in recwarn]
    if ready:
        assert said == []
    else:
        (text,) = said
        assert "no worker has started on the Ray cluster auto" in text
        assert "each takes 1 CPU and 1 GPU; see `ray status`" in text


def test_an_executor_and_a_cluster_exclude_each_other(tinysearch: Light, tiny: Path) -> None:
    done = tinysearch("run", "--data", tiny, "--executor", "mine:Mine", "--cluster", "auto")
    assert done.returncode == 2, done.stderr
    assert "--executor mine:Mine and --cluster auto name different places" in " ".join(done.stderr.split())
