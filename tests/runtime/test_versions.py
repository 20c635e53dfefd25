from __future__ import annotations

import sys
import types
from importlib import metadata
from pathlib import Path

import pytest

import tinysearch
from tinysearch.runtime.versions import version_of


def install(folder: Path, distribution: str, version: str | None, package: str) -> None:
    """Make a folder hold a distribution that brings a package, as installers do."""
    info = folder / f"{distribution.replace('-', '_')}-1.dist-info"
    info.mkdir()
    said = "" if version is None else f"Version: {version}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\n{said}", encoding="utf-8")
    (info / "RECORD").write_text(f"{package}/__init__.py,,\n", encoding="utf-8")
    (folder / package).mkdir()
    (folder / package / "__init__.py").touch()


def test_it_is_that_of_the_distribution_of_the_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "made-up", "1.2.3", "made_up")
    monkeypatch.syspath_prepend(tmp_path)
    assert version_of("made-up") == "1.2.3"
    assert version_of("numpy") == metadata.version("numpy")


def test_a_distribution_of_another_name_may_bring_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(tmp_path, "made-up-cpu", "2.18.0", "made_up")
    monkeypatch.syspath_prepend(tmp_path)
    assert version_of("made-up") == "2.18.0"


def test_what_runs_from_its_source_says_its_version_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("made_up")
    monkeypatch.setitem(sys.modules, "made_up", module)
    assert version_of("made-up") is None
    module.__version__ = "0.9"  # type: ignore[attr-defined]
    assert version_of("made-up") == "0.9"


@pytest.mark.parametrize("said", [None, "0.9", 7])
def test_what_cannot_be_told_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: object) -> None:
    """A module may say anything, and metadata may lack what it should have."""
    install(tmp_path, "made-up", None, "made_up")
    monkeypatch.syspath_prepend(tmp_path)
    module = types.ModuleType("made_up")
    monkeypatch.setitem(sys.modules, "made_up", module)
    module.__version__ = said  # type: ignore[attr-defined]
    assert version_of("made-up") == (said if isinstance(said, str) else None)
    assert version_of("nothing-of-the-kind") is None


def test_the_version_in_the_source_is_that_of_the_distribution() -> None:
    assert metadata.version("tinysearch") == tinysearch.__version__
