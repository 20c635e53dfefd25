"""What only POSIX systems have is not needed: tinysearch runs where it is hidden, as it would be on Windows.

It stands for no run on Windows itself, which is what the workflow of GitHub Actions is for.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import tinysearch

Launch = Callable[..., subprocess.CompletedProcess[str]]
SOURCE = Path(tinysearch.__file__).parents[1]


@pytest.fixture
def elsewhere(tmp_path: Path, launch: Launch) -> Launch:
    """Return the command line in processes that find nothing of what only POSIX systems have."""
    folder = tmp_path / "windows"
    folder.mkdir()
    shutil.copyfile(Path(__file__).with_name("without_posix.py"), folder / "sitecustomize.py")
    path = os.pathsep.join([str(folder), str(SOURCE)])
    return lambda *words: launch(tmp_path, *words, PYTHONPATH=path)


def hidden(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run code as a module of tinysearch where what only POSIX systems have is hidden."""
    start = f"import without_posix\nexec({code!r}, {{'__name__': 'tinysearch.example'}})"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), str(SOURCE)])}
    return subprocess.run(
        [sys.executable, "-c", start], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import resource", "No module named 'resource'"),
        ("from fcntl import flock", "No module named 'fcntl'"),
        ("import os; os.fork()", "no attribute 'fork'"),
        ("from signal import SIGKILL", "cannot import name 'SIGKILL'"),
        ("import ctypes; ctypes.CDLL(None).prctl(1, 9)", "takes the name of a library"),
        ("import sys; sys.exit(sys.platform)", "win32"),
    ],
)
def test_what_is_hidden_is_not_found(tmp_path: Path, code: str, said: str) -> None:
    done = hidden(tmp_path, code)
    assert done.returncode == 1
    assert said in done.stderr


LOOKED_AT = ("leaderboard --reference --top 3", "report --reference -o report.html", "import --reference")
LOOKED_AT += ("watch sweep-1000", "show baseline:conv", "cost baseline:conv", "data digits")


@pytest.mark.slow
def test_results_are_looked_at_where_posix_is_hidden(tmp_path: Path) -> None:
    code = f"""
import os, sys
os.environ["TINYSEARCH_STORE"] = "store.db"
from tinysearch.cli.app import main
for words in {LOOKED_AT}:
    sys.argv[:] = ["tinysearch", *words.split()]
    try:
        main()
    except SystemExit as ending:
        assert not ending.code, (words, ending.code)
"""
    done = hidden(tmp_path, code)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "report.html").stat().st_size > 1_000_000


@pytest.mark.slow
def test_a_run_with_worker_processes_goes_on_where_posix_is_hidden(elsewhere: Launch, tiny: Path) -> None:
    given = ["--data", tiny, "--budget", 2_000, "--epochs", 1, "--workers", 1, "--folds", 1, "--evaluate", 1]
    begun = elsewhere("run", *given, "--trials", 1, "--name", "first", "--no-baselines")
    assert begun.returncode == 0, begun.stderr
    more = elsewhere("run", "--name", "first", "--resume", "--trials", 2, "--data", tiny)
    assert more.returncode == 0, more.stderr
    assert "finished at" in elsewhere("watch", "first").stdout
    limited = elsewhere("run", *given, "--trials", 1, "--worker-memory", "1G")
    assert limited.returncode == 2
    assert "only works on Linux, and this is win32" in limited.stderr
