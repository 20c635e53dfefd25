from __future__ import annotations

import io
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from tinysearch.cli import watch
from tinysearch.results.lock import HOLDER, RunLock
from tinysearch.results.record import Record
from tinysearch.results.store import Store

Tinysearch = Callable[..., subprocess.CompletedProcess[str]]
MakeRecord = Callable[..., Record]


@pytest.fixture(autouse=True)
def store(tmp_path: Path, make_record: MakeRecord) -> Path:
    path = tmp_path / "store.db"
    with Store(path, create=True) as store:
        for run in ("one", "two"):
            store.create_run(run, "toy", "0123456789abcdef", {"trials": 2})
        store.append(make_record("aaa", run="one", position=0))
        store.append(make_record("bbb", run="one", position=1, failure="out of memory"))
        store.finish("one")
        store.append(make_record("ccc", run="two", position=0))
    return path


@pytest.fixture(autouse=True)
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> list[Callable[[], None]]:
    """Return what happens while ``watch`` waits, one thing each time; the waiting itself takes no time."""
    events: list[Callable[[], None]] = []
    monkeypatch.setattr(watch, "time", SimpleNamespace(sleep=lambda _: events.pop(0)() if events else None))
    return events


def test_what_is_over_is_told_at_once(light: Tinysearch) -> None:
    done = light("watch", "one")
    assert (done.returncode, done.stderr) == (0, "")
    first, second, state = done.stdout.splitlines()
    assert first.startswith("validation 90.00 %")
    assert second.startswith("failed: out of memory")
    assert state.startswith("finished at")


def test_the_latest_run_is_watched_unless_one_is_named_and_how_to_go_on_is_said(light: Tinysearch) -> None:
    lines = light("watch").stdout.splitlines()
    assert "ccc" in lines[0]
    assert lines[-1] == "no process is running it; resume it with tinysearch run --name two --resume --data DATA"


def test_a_run_is_watched_until_it_ends(
    light: Tinysearch, store: Path, make_record: MakeRecord, meanwhile: list[Callable[[], None]]
) -> None:
    with Store(store) as opened:
        lock = RunLock(opened.folder_of("two"), "two")
        meanwhile += [lambda: opened.append(make_record("ddd", run="two", position=1)), lock.release]
        done = light("watch", "two", "--interval", 1)
        assert meanwhile == []
    assert done.returncode == 0
    assert [line.split()[5] for line in done.stdout.splitlines()[:2]] == ["ccc", "ddd"]


def test_an_unknown_run_and_an_empty_store_are_errors(light: Tinysearch, tmp_path: Path) -> None:
    done = light("watch", "nobody")
    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody" in done.stderr
    with Store(tmp_path / "empty.db", create=True):
        pass
    done = light("watch", "--store", tmp_path / "empty.db")
    assert (done.returncode, done.stdout) == (2, "")


def test_a_run_whose_holder_is_another_process_by_now_is_over(light: Tinysearch, store: Path) -> None:
    with Store(store) as opened:
        folder = opened.folder_of("two")
    lock = RunLock(folder, "two")
    text = (folder / HOLDER).read_text()
    lock.release()
    (folder / HOLDER).write_text(re.sub(r"[0-9]+$", "1", text.strip()))
    lines = light("watch", "two").stdout.splitlines()
    assert lines[-1] == "no process is running it; resume it with tinysearch run --name two --resume --data DATA"


def test_a_run_whose_holder_on_another_machine_is_silent_is_over_and_that_is_said(
    light: Tinysearch, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(store) as opened:
        folder = opened.folder_of("two")
    folder.mkdir(parents=True)
    (folder / HOLDER).write_text("process 7 on elsewhere\nstarted some time ago\n")
    monkeypatch.setattr("tinysearch.results.lock.SILENCE", 0.0)
    last = light("watch", "two").stdout.splitlines()[-1]
    assert last.startswith("process 7 on elsewhere gave no sign of life for")
    assert last.endswith("resume it with tinysearch run --name two --resume --data DATA")


def test_the_objective_of_a_run_is_shown_before_its_accuracy(
    light: Tinysearch, store: Path, make_record: MakeRecord
) -> None:
    with Store(store) as opened:
        settings = {"trials": 2, "objective": "macro_f1", "direction": "max"}
        opened.create_run("macro", "toy", "0123456789abcdef", settings)
        opened.append(make_record("ddd", run="macro", position=0, metrics={"macro_f1": 0.25}))
        opened.finish("macro")
        shown = watch._display(opened, opened.run("macro"), opened.summaries("macro"), "finished")
    first, _ = light("watch", "macro").stdout.splitlines()
    assert first.startswith("validation macro F1 25.00 %, validation 90.00 %")
    console = Console(width=200, file=io.StringIO())
    console.print(shown)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "macro F1 25.00 % with 1,000 params, ddd" in text
    assert "validation macro F1" in text
