"""How many workers, and how many threads each."""

from __future__ import annotations

MOST_WORKERS = 8


def usable_cores() -> int:
    """Return how many cores this process may use, by its affinity and the limits of its container."""
    import joblib

    return int(joblib.cpu_count())


def default_workers() -> int:
    """Return one worker per core, up to 8.

    Networks this small leave a second thread idle most of the time; but with every worker the search knows less when
    it proposes.
    """
    return min(usable_cores(), MOST_WORKERS)


def threads_of_each(workers: int) -> int:
    """Return how many threads each of some workers has."""
    return max(1, usable_cores() // workers)
