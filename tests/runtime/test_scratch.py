from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tinysearch.errors import WorkerError
from tinysearch.runtime.backend import quiet
from tinysearch.runtime.scratch import remove_left_behind, scratch_file, scratch_prefix, worker_log


@contextmanager
def no_folder() -> Iterator[None]:
    """Have no folder for temporary files, as where all of them are full or may not be written."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", None)
        patch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nowhere/at/all"])
        with pytest.raises(FileNotFoundError):
            tempfile.gettempdir()
        yield


def test_what_is_written_can_be_read_again() -> None:
    for make in (scratch_file, worker_log):
        with make() as file:
            file.write(b"one")
            file.seek(0)
            assert file.read() == b"one"


def test_loading_is_quiet_without_a_folder_for_temporary_files(capfd: pytest.CaptureFixture[str]) -> None:
    with no_folder(), quiet():
        os.write(2, b"a remark about the build\n")
    os.write(2, b"an error\n")
    assert capfd.readouterr().err == "an error\n"


def test_without_memory_files_too_what_is_written_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "memfd_create", raising=False)
    with no_folder(), scratch_file() as file:
        file.write(b"one")
        file.seek(0)
        assert file.read() == b""


def test_training_without_a_folder_for_temporary_files_is_refused_with_the_remedy() -> None:
    with no_folder(), pytest.raises(WorkerError, match=r"'/nowhere/at/all'.*TMPDIR"):
        worker_log()


def test_only_files_of_ended_processes_of_this_machine_are_left_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(psutil, "pid_exists", lambda number: False)
    for machine in ("gpu", "gpu-9"):
        monkeypatch.setattr(socket, "gethostname", lambda machine=machine: machine)
        tempfile.mkdtemp(prefix=scratch_prefix("images"))
    monkeypatch.setattr(socket, "gethostname", lambda: "gpu")
    remove_left_behind("images")
    (left,) = tmp_path.iterdir()
    assert left.name.startswith("tinysearch-images-gpu-9@")
