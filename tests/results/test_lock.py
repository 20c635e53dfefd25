from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tinysearch.errors import RunError, StoreWriteError
from tinysearch.results.lock import BEAT, HOLDER, SILENCE, HolderWatch, RunLock, holder


def test_a_run_is_held_once_and_the_refusal_names_the_holder(tmp_path: Path) -> None:
    held = RunLock(tmp_path / "run", "mine")
    with pytest.raises(RunError, match=rf"'mine' is in use by process {os.getpid()} on"):
        RunLock(tmp_path / "run", "mine")
    RunLock(tmp_path / "other", "other").release()
    held.release()
    held.release()
    RunLock(tmp_path / "run", "mine").release()


def test_a_lock_whose_holder_is_dead_is_free(tmp_path: Path) -> None:
    code = (
        "import sys, os; from pathlib import Path; from tinysearch.results.lock import RunLock; "
        "lock = RunLock(Path(sys.argv[1]), 'mine'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path]).returncode == -9
    assert (tmp_path / "run.pid").exists()
    RunLock(tmp_path, "mine").release()


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreWriteError, match="file"):
        RunLock(tmp_path / "file" / "run", "mine")


@pytest.mark.parametrize("text", ["", "process", "process nobody on HERE", "process 999999999 on HERE", "\n\n"])
def test_a_holder_that_is_gone_is_none(text: str, tmp_path: Path) -> None:
    (tmp_path / HOLDER).write_text(text.replace("HERE", socket.gethostname()))
    assert holder(tmp_path) is None


def test_the_holder_is_named_while_it_holds(tmp_path: Path) -> None:
    assert holder(tmp_path) is None
    lock = RunLock(tmp_path, "run")
    assert str(holder(tmp_path)) == f"process {os.getpid()} on {socket.gethostname()}"
    lock.release()
    assert holder(tmp_path) is None


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a process is known by its number alone")
def test_a_process_that_has_the_number_of_the_holder_is_not_the_holder(tmp_path: Path) -> None:
    lock = RunLock(tmp_path, "run")
    path = tmp_path / HOLDER
    path.write_text(path.read_text().rstrip() + "0\n")
    assert holder(tmp_path) is None
    lock.release()


class Clock:
    """Seconds that pass when they are said to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def elsewhere(folder: Path, *facts: str) -> None:
    (folder / HOLDER).write_text("\n".join(("process 7 on another-machine", *facts)) + "\n")


def test_a_holder_on_another_machine_that_gives_no_sign_of_life_is_gone_after_a_while(tmp_path: Path) -> None:
    elsewhere(tmp_path, "started long ago")
    clock = Clock()
    watched = HolderWatch(tmp_path, clock)
    assert str(watched.look()) == "process 7 on another-machine"
    clock.seconds = SILENCE - 1
    assert watched.look() is not None
    os.utime(tmp_path / HOLDER, ns=(5, 5))
    clock.seconds += 2
    assert watched.look() is not None
    assert watched.silent is None
    clock.seconds += SILENCE
    assert watched.look() is None
    assert str(watched.silent) == "process 7 on another-machine"
    os.utime(tmp_path / HOLDER, ns=(6, 6))
    assert watched.look() is not None


def test_of_a_holder_of_an_earlier_version_no_sign_of_life_is_expected(tmp_path: Path) -> None:
    elsewhere(tmp_path)
    clock = Clock()
    watched = HolderWatch(tmp_path, clock)
    watched.look()
    clock.seconds = 10 * SILENCE
    assert str(watched.look()) == "process 7 on another-machine"


def test_a_holder_gives_signs_of_life_now_and_then(tmp_path: Path) -> None:
    clock = Clock()
    lock = RunLock(tmp_path, "run", clock)
    os.utime(tmp_path / HOLDER, ns=(5, 5))
    lock.beat()
    assert (tmp_path / HOLDER).stat().st_mtime_ns == 5
    clock.seconds = BEAT
    lock.beat()
    assert (tmp_path / HOLDER).stat().st_mtime_ns > 5
    lock.release()
    clock.seconds = 2 * BEAT
    lock.beat()
    assert not (tmp_path / HOLDER).exists()
