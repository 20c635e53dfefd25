"""Number of usable cores, and of threads per worker."""

from __future__ import annotations

MOST_WORKERS = 8


def usable_cores() -> int:
    """Return the number of cores that this process may use, by its affinity and the limits of its container."""
    import joblib

    return int(joblib.cpu_count())


def threads_of_each(workers: int) -> int:
    """Return the number of threads of each worker."""
    return max(1, usable_cores() // workers)
