"""Which GPUs this process may use, without loading what would use them."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Sequence

# Of the memory of a GPU, what all processes together may take; the rest is the driver's and that of their contexts.
_SHARED = 0.9


def visible_gpus() -> list[str]:
    """Return what ``CUDA_VISIBLE_DEVICES`` calls the GPUs that this process may use; empty where there are none."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        found = [name.strip() for name in named.split(",") if name.strip()]
        # What follows a number below 0 is invisible to CUDA.
        return found[: next((index for index, name in enumerate(found) if name.startswith("-")), len(found))]
    return _asked("index")


def accelerator() -> str | None:
    """Return the model of the GPUs that this process may use, ``"NVIDIA H100 80GB HBM3"``; None where there are none.

    Several models are named in alphabetical order; a part of a GPU as ``"NVIDIA H100 80GB HBM3 (MIG)"``.
    """
    visible = visible_gpus()
    if any(name.startswith("MIG-") for name in visible):
        # nvidia-smi knows the part by this name, but cannot be asked for it.
        models = {f"{name} (MIG)" for name in _asked("name")}
    else:
        models = set(_asked("name", visible)) if visible else set()
    return ", ".join(sorted(models)) or None


def share_of(slot: int, gpus: Sequence[str], workers: int = 1, share: float = 1.0) -> dict[str, str]:
    """Return the environment of the process in one of many places: GPUs are dealt out in turn.

    A process takes the memory that it needs, so that several can share a GPU. With JAX, each takes at most an equal
    share of 90 % of the memory, so that no process is left without. What is set already stays.

    Args:
        slot: The place, from 0.
        gpus: What ``CUDA_VISIBLE_DEVICES`` calls the GPUs.
        workers: How many places there are.
        share: What all of these may have of the memory of each GPU; others may use it too.

    >>> share_of(3, ["0", "1"], 4)["CUDA_VISIBLE_DEVICES"]
    '1'
    >>> share_of(3, [])
    {}
    """
    if not gpus:
        return {}
    ours = {"CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)]}
    if "CUDA_VISIBLE_DEVICES" not in os.environ:
        # The numbers are those of nvidia-smi, and CUDA counts by speed where GPUs differ.
        ours["CUDA_DEVICE_ORDER"] = os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    of_one = max(1, math.ceil(workers / len(gpus)))
    given = [os.environ.get(name) for name in ("XLA_CLIENT_MEM_FRACTION", "XLA_PYTHON_CLIENT_MEM_FRACTION")]
    if not any(given):
        # JAX refuses both names at once, and the older one is known to all versions.
        ours["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{_SHARED * share / of_one:.4f}"
    ours["XLA_PYTHON_CLIENT_PREALLOCATE"] = os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    return ours


def _asked(what: str, gpus: Sequence[str] = ()) -> list[str]:
    """Return what ``nvidia-smi`` says of GPUs, a line each; nothing where it cannot be asked."""
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
