"""How many cores there are, and how many threads each of some workers has."""

from __future__ import annotations

MOST_WORKERS = 8


def usable_cores() -> int:
    """Return how many cores this process may use, by its affinity and the limits of its container."""
    import joblib

    return int(joblib.cpu_count())


def threads_of_each(workers: int) -> int:
    """Return how many threads each of some workers has."""
    return max(1, usable_cores() // workers)
