"""Which GPUs this process may use, without loading what would use them."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence


def visible_gpus() -> list[str]:
    """Return what ``CUDA_VISIBLE_DEVICES`` calls the GPUs that this process may use; empty where there are none."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        found = [name.strip() for name in named.split(",") if name.strip()]
        # What follows a number below 0 is invisible to CUDA.
        return found[: next((index for index, name in enumerate(found) if name.startswith("-")), len(found))]
    if shutil.which("nvidia-smi") is None:
        return []
    try:
        done = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.split() if done.returncode == 0 else []


def share_of(slot: int, gpus: Sequence[str]) -> dict[str, str]:
    """Return the environment of the process in one of many places: GPUs are dealt out in turn.

    A process takes the memory that it needs, so that several can share a GPU.

    >>> share_of(3, ["0", "1"])["CUDA_VISIBLE_DEVICES"]
    '1'
    >>> share_of(3, [])
    {}
    """
    if not gpus:
        return {}
    return {
        "CUDA_VISIBLE_DEVICES": gpus[slot % len(gpus)],
        "XLA_PYTHON_CLIENT_PREALLOCATE": os.environ.get("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
    }
