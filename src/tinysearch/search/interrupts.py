"""Holding back interruptions while something must be done as a whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


@contextmanager
def held_back() -> Iterator[None]:
    """Let Ctrl-C and requests to terminate wait for the end of the block; then they take effect as ever."""
    if threading.current_thread() is not threading.main_thread():
        # Signals are handled in the main thread only.
        yield
        return
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    # A handler that is None was not installed from Python and cannot be put back.
    before = {one: handler for one in _SIGNALS if callable(handler := signal.getsignal(one))}
    for one in before:
        signal.signal(one, note)
    try:
        yield
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
        for one in arrived:
            signal.raise_signal(one)
