"""How much memory there is for the processes that train, and how much one of them takes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tinysearch.errors import InputError

# Measured on Linux with TensorFlow 2.21, see docs/decisions/0007-worker-processes.md: the most that a worker has for
# itself in ten trainings is WORKER_BYTES and IMAGE_COPIES times its images; loading KerasTuner takes SEARCH_BYTES in
# the process that runs the search, the code that workers share with it included.
WORKER_BYTES = 600_000_000
IMAGE_COPIES = 7
SEARCH_BYTES = 700_000_000
# Images of more bytes than this are not copied: they stay in a file that is mapped into memory, which all workers share
# and the system can do without. What a worker has of them are batches on their way, and figures.
MOST_IN_MEMORY = 2**27
MAPPED_BYTES = 600_000_000


def worker_bytes(images: int) -> int:
    """Return about how many bytes of memory a worker takes, with so many bytes of images."""
    return WORKER_BYTES + (IMAGE_COPIES * images if images <= MOST_IN_MEMORY else MAPPED_BYTES)


def check_limit(worker_memory: int | None) -> None:
    """Refuse a limit on the memory of a worker process where the system keeps none.

    Raises:
        InputError: if there is a limit, and this is not Linux.
    """
    if worker_memory is not None and sys.platform != "linux":
        raise InputError(
            f"`worker_memory=` only works on Linux, and this is {sys.platform}; leave it out, and give fewer "
            f"`workers=` if memory is short"
        )


def usable_memory() -> int:
    """Return how many bytes more all processes of a search can take now.

    That is what the system has available, or what the limits of the control groups of this process leave, such as those
    of a container, if that is less; without what this process still takes itself.
    """
    import psutil

    own = 0 if "keras_tuner" in sys.modules else SEARCH_BYTES
    available = int(psutil.virtual_memory().available)
    return max(0, min([available, *left_by_limits()]) - own)


def left_by_limits(root: Path = Path("/")) -> Iterator[int]:
    """Yield how many bytes each control group of this process, and each that holds it, leaves until its limit.

    What is only cached of files is given up when memory is wanted, so it does not count as taken.

    Args:
        root: Where ``proc`` and ``sys`` are.
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
    """Yield the folders of the control groups that bound the memory of this process, versions 1 and 2, outermost first.

    A container may see its own group as the outermost one, by another path than the one that it is given.
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
    """Return the number in a file; None if there is none, as in ``max``."""
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
