"""Clusters of Ray, each of a few nodes on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import gated
import psutil
import pytest

ATTEMPTS = 3
NODES = Path(__file__).with_name("nodes.py")
# So many CPUs are many slots; what they do costs next to nothing.
CPUS = 128


@dataclass(frozen=True)
class Nodes:
    """A cluster: its address, and the processes of its head and of its other nodes by what they are."""

    address: str
    head: dict[str, int]
    nodes: list[dict[str, int]]

    @property
    def raylets(self) -> list[int]:
        return [node["raylet"] for node in self.nodes]

    def kill_head(self) -> None:
        for pid in self.head.values():
            psutil.Process(pid).kill()


Start = Callable[[int], Nodes]


@pytest.fixture(scope="module")
def hasty() -> dict[str, str]:
    """Environment of what speaks to Ray: a head that does not answer is given up soon, and trainers are found."""
    path = os.pathsep.join([str(Path(gated.__file__).parent), *filter(None, sys.path)])
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}
    return {"PYTHONPATH": path, "RAY_gcs_rpc_server_reconnect_timeout_s": "10", **quiet}


@pytest.fixture(scope="module")
def start(hasty: dict[str, str], needs: Callable[..., None]) -> Iterator[Start]:
    """Return a function that starts a cluster of so many nodes beside its head, which has no CPUs."""
    import importlib.util

    needs(importlib.util.find_spec("ray"), "Ray", "pip install ray")
    begun: list[subprocess.Popen[str]] = []

    def nodes(count: int) -> Nodes:
        # A busy machine may take longer to start a node than Ray, which is told to be hasty, waits for a sign of life.
        for _ in range(ATTEMPTS):
            process = subprocess.Popen(
                [sys.executable, str(NODES), str(count), str(CPUS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env={**os.environ, **hasty},
            )
            begun.append(process)
            assert process.stdout is not None
            line = next((line for line in process.stdout if line.startswith("{")), None)
            if line is not None:
                return Nodes(**json.loads(line))
        raise AssertionError(f"the cluster did not start in {ATTEMPTS} attempts")

    yield nodes
    for process in begun:
        family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
        process.communicate()
        for one in psutil.wait_procs(family, timeout=10)[1]:
            one.kill()


@pytest.fixture(scope="module")
def cluster(start: Start) -> Nodes:
    """A cluster of two nodes that nobody kills."""
    return start(2)
