from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tinysearch.errors import RunError, StoreWriteError
from tinysearch.results.lock import RunLock


def test_a_run_is_held_once_and_the_refusal_names_the_holder(tmp_path: Path) -> None:
    held = RunLock(tmp_path / "run", "mine")
    with pytest.raises(RunError, match=rf"'mine' is being carried out by process {os.getpid()} on"):
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
