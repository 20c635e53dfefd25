"""A warning if trainings wait for a long time and no worker is ready."""

from __future__ import annotations

import math
import time
import warnings

from tinysearch.errors import TinySearchWarning
from tinysearch.workers.ray.cluster import Share

# Seconds without a ready worker until the warning. An autoscaler may need minutes to start one.
PATIENCE = 120.0


class WaitingWatch:
    """Watchdog that warns if jobs wait for a long time and no worker is ready. Warns again after workers were ready.

    Args:
        address: Address of the cluster.
        share: Resources of each training.
    """

    def __init__(self, address: str, share: Share) -> None:
        self._address = address
        self._share = share
        self._has_started = False
        self._ready = 0
        # Time since which jobs have been waiting while no worker is ready.
        self._since: float | None = None

    def ready(self, count: int) -> None:
        """Record the number of Ray processes that are ready."""
        self._ready = count
        self._has_started = self._has_started or count > 0

    def look(self, has_jobs: bool) -> None:
        """Warn if jobs have been waiting for too long.

        Args:
            has_jobs: Whether any job has not ended.
        """
        if self._ready or not has_jobs:
            self._since = None
            return
        now = time.monotonic()
        self._since = now if self._since is None else self._since
        if now < self._since + PATIENCE:
            return
        self._since = math.inf
        what = "is left" if self._has_started else "has started"
        text = (
            f"no worker {what} on the Ray cluster {self._address} for {PATIENCE:.0f} seconds, and trainings wait for "
            f"one: each takes {self._share}; `ray status` shows the resources of the cluster and their use"
        )
        warnings.warn(text, TinySearchWarning, stacklevel=3)
