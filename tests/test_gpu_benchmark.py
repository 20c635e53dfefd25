"""The benchmark for GPUs works where there is none."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"


@pytest.mark.slow
def test_it_measures_both_sides_on_the_processor(needs: Callable[..., None]) -> None:
    needs(importlib.util.find_spec("jax"), "jax", "pip install jax")
    command = [sys.executable, str(SCRIPT), "--dataset", "digits", "--workers", "1", "--json"]
    command += ["--images", "90", "--epochs", "2", "--seconds", "80"]
    surroundings = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    done = subprocess.run(command, capture_output=True, text=True, env=surroundings, check=False)
    assert done.returncode == 0, done.stderr
    processor, ours = map(json.loads, done.stdout.splitlines()[-2:])
    for side in (ours, processor):
        assert side["epochs"] > 0
        # How many networks are trained depends on the machine, and one of them may diverge on so few images.
        assert all(reason.startswith("loss was") for reason in side["reasons"])
        assert side["failed"] < side["epochs"]
        assert side["start"] > 0
        assert side["cpu"] > 0
    assert (ours["accelerator"], ours["gpu"]) == (None, None)
