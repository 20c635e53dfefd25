"""Memory available for worker processes, and memory that one of them takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinysearch.errors import InputError

# Measured on Linux with TensorFlow 2.21, see docs/decisions/0007-worker-processes.md: the maximum private memory of a
# worker in ten trainings is WORKER_BYTES plus IMAGE_COPIES times its images. Loading KerasTuner takes SEARCH_BYTES in
# the process that runs the search, including the code that workers share with it.
WORKER_BYTES = 600_000_000
IMAGE_COPIES = 7
SEARCH_BYTES = 700_000_000
# Images with more bytes than this are not copied: they stay in a memory-mapped file, which all workers share and the
# system can evict from memory. A worker then only holds prefetched batches and statistics, in MAPPED_BYTES.
MOST_IN_MEMORY = 2**27
MAPPED_BYTES = 600_000_000


def worker_bytes(images: int) -> int:
    """Return the approximate bytes of memory of a worker that uses ``images`` bytes of images."""
    return WORKER_BYTES + (IMAGE_COPIES * images if images <= MOST_IN_MEMORY else MAPPED_BYTES)


def check_limit(worker_memory: int | None) -> None:
    """Raise an error if the memory of worker processes is limited but the system does not support that.

    Raises:
        InputError: if a limit is given on another system than Linux.
    """
    if worker_memory is not None and sys.platform != "linux":
        raise InputError(
            f"`worker_memory=` only works on Linux, and this is {sys.platform}; leave it out, and give fewer "
            f"`workers=` if memory is short"
        )


def usable_memory() -> int:
    """Return the bytes of memory that all worker processes of a search can take now.

    This is the available memory of the system, or what the limits of this process's control groups, such as those of a
    container, leave if that is less. The memory that this process will still take itself is subtracted.
    """
    import psutil

    own = 0 if "keras_tuner" in sys.modules else SEARCH_BYTES
    available = int(psutil.virtual_memory().available)
    return max(0, min([available, *left_by_limits()]) - own)


def left_by_limits(root: Path = Path("/")) -> Iterator[int]:
    """Yield the bytes left until the limit of each control group of this process and of its parents.

    Cached files do not count as used, because the system evicts them when memory is needed.

    Args:
        root: Folder that contains ``proc`` and ``sys``.
    """
    for folder in _groups(root):
        for limit, usage, cached in (
            ("memory.max", "memory.current", "inactive_file"),
            ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
        ):
            bound, taken = _number(folder / limit), _number(folder / usage)
            if bound is not None:
                yield max(0, bound - max(0, (taken or 0) - _statistic(folder / "memory.stat", cached)))


def _groups(root: Path) -> Iterator[Path]:
    """Yield the folders of the control groups that limit the memory of this process, versions 1 and 2, outermost first.

    A container may see its own group as the outermost one, under another path than the reported one.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        top = root / "sys/fs/cgroup"
        if number != "0" or controllers:
            if "memory" not in controllers.split(","):
                continue
            top /= "memory"
        parts = [part for part in PurePosixPath(path).parts if part not in ("/", "..")]
        for depth in range(len(parts) + 1):
            yield top.joinpath(*parts[:depth])


def _number(path: Path) -> int | None:
    """Return the number in a file; None if it is missing or contains no number, such as ``max``."""
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _statistic(path: Path, name: str) -> int:
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith(f"{name} ")), 0)
