from __future__ import annotations

import subprocess
import urllib.request
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tinysearch.cli import dashboard
from tinysearch.report.dashboard.server import DashboardServer
from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def store(tmp_path: Path, make_record: Callable[..., Record]) -> Path:
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        store.create_run("one", "toy", "0123456789abcdef", {"trials": 2})
        store.append(make_record("aaaaaaaaaaaa", run="one", position=0))
    return path


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the pages that a person sees who looks twice and then ends the command."""
    found: list[str] = []
    addresses: list[str] = []
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    entered = DashboardServer.__enter__

    def enter(server: Any) -> Any:
        addresses.append(server.address)
        return entered(server)

    def sleep(seconds: float) -> None:
        with direct.open(addresses[0], timeout=30) as answer:
            found.append(answer.read().decode())
        if len(found) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(DashboardServer, "__enter__", enter)
    monkeypatch.setattr(dashboard, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: 0.0))
    return found


def test_the_page_is_served_until_the_command_is_ended(light: Tinysearch, store: Path, looks: list[str]) -> None:
    done = light("dashboard", "one")
    assert done.returncode == 130
    assert done.stdout.startswith("http://127.0.0.1:")
    assert "press Ctrl-C to stop" in done.stderr
    assert all("tinysearch: dashboard" in page and "no process is running it" in page for page in looks)


def test_an_unknown_run_or_metric_and_a_store_that_is_not_there_are_errors(light: Tinysearch, store: Path) -> None:
    for words, said in (
        (["nobody"], "nobody"),
        (["--metric", "nonsense"], "a metric is one of"),
        (["--store", "none.db"], "there is no store"),
        (["--port", "99999"], "another --port"),
    ):
        done = light("dashboard", *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
