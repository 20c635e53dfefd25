"""The benchmark for GPUs works where there is none."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "gpu.py"
# Stands for NVIDIA's program: what it is told is written down, and it lists a server once a client has come.
DAEMON = """#!/bin/sh
if [ "$1" = -d ]; then echo start >> "$CUDA_MPS_LOG_DIRECTORY/../said"; exit; fi
read -r said
echo "$said" >> "$CUDA_MPS_LOG_DIRECTORY/../said"
if [ "$said" = get_server_list ] && [ -e "$CUDA_MPS_PIPE_DIRECTORY/client" ]; then echo 4711; fi
"""


@pytest.fixture
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("gpu_benchmark", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "nvidia-cuda-mps-control"
    program.write_text(DAEMON)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path / "said"


def test_processes_of_a_gpu_share_it_by_a_daemon_that_is_ended(benchmark: ModuleType, daemon: Path) -> None:
    with benchmark.multi_process_service() as client:
        assert set(client) == {"CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY"}
        assert not set(client) & set(os.environ)
        (Path(client["CUDA_MPS_PIPE_DIRECTORY"]) / "client").touch()
    assert daemon.read_text().splitlines() == ["start", "get_server_list", "quit -t 10"]


def test_figures_of_a_daemon_that_nobody_used_are_refused(benchmark: ModuleType, daemon: Path) -> None:
    with pytest.raises(SystemExit, match="no process became a client"), benchmark.multi_process_service():
        pass
    assert daemon.read_text().splitlines() == ["start", "get_server_list", "quit -t 10"]


def test_without_the_daemon_sharing_is_refused(benchmark: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--mps"])
    with pytest.raises(SystemExit, match="2"):
        benchmark.main()


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
