"""A Python without extras is one: what the extras bring is not found in it, what tinysearch depends on is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from without_extras import brought, hidden, hidden_modules


def test_what_keras_tuner_imports_is_among_what_is_depended_on() -> None:
    assert {"keras", "numpy", "tensorboard", "tensorflow"} <= brought("tinysearch")
    assert "pytest" in brought("pytest") - brought("tinysearch")


def test_an_extra_counts_only_where_it_is_asked_for() -> None:
    assert {"onnx", "tf2onnx"} <= brought("tinysearch[deploy]") - brought("tinysearch")


@pytest.mark.parametrize(("module", "found"), [("pytest", False), ("numpy", True), ("tinysearch", True)])
def test_a_process_finds_only_what_is_depended_on(module: str, found: bool, tmp_path: Path) -> None:
    assert (module in hidden_modules()) != found
    command = [sys.executable, "-c", f"import {module}"]
    done = subprocess.run(command, env=hidden(tmp_path), capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == found
    assert ("is not among what tinysearch depends on" in done.stderr) != found
