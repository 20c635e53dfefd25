from __future__ import annotations

import dataclasses
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import tinysearch
from tinysearch.runtime import environment
from tinysearch.runtime.environment import Environment


def test_it_names_what_results_depend_on() -> None:
    found = Environment.here(threads=2).to_dict()
    assert found["numpy"] == np.__version__
    assert found["python"] == platform.python_version()
    assert found["keras"] == keras.__version__
    assert found["tensorflow"] == tf.__version__
    assert found["tinysearch"]
    assert (found["backend"], found["threads"]) == ("tensorflow", "2")


def test_the_commit_is_that_of_the_checkout_it_runs_from() -> None:
    root = Path(__file__).parents[2]
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True)
    commit = Environment.here().commit
    if head.returncode or not (root / ".git").exists():
        assert commit is None
    else:
        assert commit is not None
        assert head.stdout.startswith(commit.removesuffix("-dirty"))


def test_it_comes_back_from_plain_values() -> None:
    here = Environment.here(threads=3)
    assert Environment.from_dict(here.to_dict()) == here


@pytest.mark.parametrize(
    "change",
    [
        {"threads": "2"},
        {"machine": "Darwin arm64"},
        {"versions": {"tensorflow": "2.0", "tinysearch": "1", "keras": "3", "numpy": "2"}},
    ],
)
def test_what_numbers_depend_on_is_decisive(change: dict[str, object]) -> None:
    here = Environment.here(threads=1)
    other = dataclasses.replace(here, **change)  # type: ignore[arg-type]
    assert other.decisive != here.decisive


def test_versions_that_are_not_known_are_not_the_same() -> None:
    here = Environment.here(threads=1)
    assert here.gives_equal_numbers(here)
    unknown = dataclasses.replace(here, versions={**here.versions, "tensorflow": None})
    assert not unknown.gives_equal_numbers(unknown)


def test_python_and_the_commit_are_not_decisive() -> None:
    here = Environment.here(threads=1)
    assert dataclasses.replace(here, python="3.0", commit="abc").decisive == here.decisive


def test_an_environment_without_any_metadata_can_still_be_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with the sources on PYTHONPATH: what is loaded says its version itself, and the rest is unknown."""

    def missing(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    monkeypatch.setattr(metadata, "packages_distributions", dict)
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    monkeypatch.delitem(sys.modules, "jax", raising=False)
    environment._here.cache_clear()
    try:
        found = Environment.here()
    finally:
        environment._here.cache_clear()
    assert found.versions["tinysearch"] == tinysearch.__version__
    assert found.versions["jax"] is None


def test_the_processor_is_recorded_and_decides_nothing() -> None:
    here = Environment.here(threads=1)
    other = dataclasses.replace(here, processor="another one")
    assert here.gives_equal_numbers(other)
    assert Environment.from_dict(other.to_dict()) == other
    assert other.to_dict()["processor"] == "another one"
    assert "processor" not in dataclasses.replace(here, processor=None).to_dict()
