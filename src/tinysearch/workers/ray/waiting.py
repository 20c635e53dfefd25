"""Says that trainings wait for workers, where there are none for long."""

from __future__ import annotations

import math
import time
import warnings

from tinysearch.errors import TinySearchWarning
from tinysearch.workers.ray.cluster import Share

# Seconds after which it is said that no worker is ready, which may take an autoscaler minutes.
PATIENCE = 120.0


class WaitingWatch:
    """Warns once if jobs wait for long and no worker is ready, and again if workers have been ready in between.

    Args:
        address: Of the cluster.
        share: What each training may have.
    """

    def __init__(self, address: str, share: Share) -> None:
        self._address = address
        self._share = share
        self._has_started = False
        self._ready = 0
        # Since when jobs have been waiting while no worker is ready.
        self._since: float | None = None

    def ready(self, count: int) -> None:
        """Take note of how many processes of Ray are ready."""
        self._ready = count
        self._has_started = self._has_started or count > 0

    def look(self, has_jobs: bool) -> None:
        """Warn if it is time for that.

        Args:
            has_jobs: Whether there are jobs that have not ended.
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
            f"one: each takes {self._share}; see `ray status` for what the cluster has, and what of it is free"
        )
        warnings.warn(text, TinySearchWarning, stacklevel=3)
