from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from tinysearch.errors import StoreWriteError
from tinysearch.results import artifacts
from tinysearch.results.artifacts import BestModels


def test_nothing_of_an_earlier_run_is_left_but_the_lock(tmp_path: Path) -> None:
    for name in ("aaa.keras", ".bbb.part.keras", "evaluations/aaa-0.keras", "checkpoints/ccc.npz", "run.lock"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    BestModels(tmp_path).clear()
    assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]


def test_what_cannot_be_removed_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evaluations").mkdir()

    def refuse(path: Path, *rest: Any, **more: Any) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(artifacts.shutil, "rmtree", refuse)
    with pytest.raises(StoreWriteError, match=r"evaluations.*Permission denied.*`name=`"):
        BestModels(tmp_path).clear()


def test_a_model_of_another_run_is_copied_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = tmp_path / "other" / "aaa.keras"
    artifacts.write(source, b"a model")
    (tmp_path / "run").mkdir()
    models = BestModels(tmp_path / "run")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", _on_a_full_disk)
        models.take(source, "aaa")
    assert list((tmp_path / "run").iterdir()) == []
    models.take(source, "aaa")
    assert models.path("aaa").read_bytes() == b"a model"
    models.take(tmp_path / "other" / "bbb.keras", "bbb")
    assert not models.path("bbb").exists()


def _on_a_full_disk(path: Path, content: bytes) -> int:
    with path.open("wb") as file:
        file.write(content[:1])
    raise OSError(errno.ENOSPC, "No space left on device", str(path))
