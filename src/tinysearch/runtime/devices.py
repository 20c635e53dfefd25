"""GPUs that this process may use, found without loading a backend."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Sequence

# Share of a GPU's memory that all processes together may take; the rest is for the driver and their contexts.
_SHARED = 0.9


def visible_gpus() -> list[str]:
    """Return the GPUs that this process may use, named as in ``CUDA_VISIBLE_DEVICES``; empty if there are none."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        found = [name.strip() for name in named.split(",") if name.strip()]
        # CUDA ignores a negative number and everything after it.
        return found[: next((index for index, name in enumerate(found) if name.startswith("-")), len(found))]
    return _asked("index")


def accelerator() -> str | None:
    """Return the model of the GPUs that this process may use, such as ``"NVIDIA H100 80GB HBM3"``; None without GPUs.

    Several models are listed in alphabetical order. A part of a GPU is ``"NVIDIA H100 80GB HBM3 (MIG)"``.
    """
    visible = visible_gpus()
    if any(name.startswith("MIG-") for name in visible):
        # nvidia-smi lists parts under this name, but does not accept it in a query.
        models = {f"{name} (MIG)" for name in _asked("name")}
    else:
        models = set(_asked("name", visible)) if visible else set()
    return ", ".join(sorted(models)) or None


def share_of(slot: int, gpus: Sequence[str], workers: int = 1, share: float = 1.0) -> dict[str, str]:
    """Return environment variables for one of several processes, which assign GPUs to the processes in turn.

    A process takes only the memory that it needs, so that several can share a GPU. With JAX, each takes at most an
    equal share of 90 % of the memory, so that every process gets some. Memory settings in the environment are kept.

    Args:
        slot: Index of the process, from 0.
        gpus: GPUs, named as in ``CUDA_VISIBLE_DEVICES``.
        workers: Number of processes.
        share: Share of the memory of each GPU that all these processes may use; others may use the GPU too.

    >>> share_of(3, ["0", "1"], 4)["CUDA_VISIBLE_DEVICES"]
    '1'
    >>> share_of(3, [])
    {}
    """
    if not gpus:
        return {}
    ours = {"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]}
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        # The numbers are those of nvidia-smi, while CUDA orders different GPUs by speed.
        ours["CUDA_DEVICE_ORDER"] = os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    of_one = max(1, math.ceil(workers / len(gpus)))
    given = [os.environ.get(name) for name in ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")]
    if not any(given):
        # JAX rejects both names at once, and all versions know the older one.
        ours["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_SHARED * share / of_one:.4f}"
    ours["XLA_PYTHON_CLIENT_PREALLOCATE"] = os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    return ours


def _asked(what: str, gpus: Sequence[str] = ()) -> list[str]:
    """Return the answer of ``nvidia-smi`` about GPUs, a line each; an empty list if it is missing or fails."""
    if shutil.which("nvidia-smi") is None:
        return []
    chosen = [f"--id={','.join(gpus)}"] if gpus else []
    try:
        done = subprocess.run(
            ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader", *chosen],
            capture_output=True,
            text=True,
            timeout=20,
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in done.stdout.splitlines() if line.strip()] if done.returncode == 0 else []
