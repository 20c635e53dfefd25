"""Handling of SIGTERM and SIGHUP, as Ctrl-C is handled."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import typer

from tinysearch.cli.reporting import EXIT_SIGNAL

_TERMINATING = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def terminations() -> Iterator[list[int]]:
    """Turn SIGTERM and SIGHUP into a ``KeyboardInterrupt`` within the block, and then into an exit code.

    Yields:
        The signals that have arrived.
    """
    arrived: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in _TERMINATING if signal.getsignal(one) != signal.SIG_IGN}
    try:
        yield arrived
    except KeyboardInterrupt:
        if arrived:
            raise typer.Exit(EXIT_SIGNAL + arrived[0]) from None
        raise
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)
