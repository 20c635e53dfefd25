"""Holding back interruptions while something must be done as a whole."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Interrupts:
    """While it is entered, Ctrl-C and requests to terminate can be made to wait for the end of a block.

    Otherwise they do what they did before. In any other thread than the main one nothing is changed, for signals are
    handled in the main thread only.
    """

    def __init__(self) -> None:
        self._before: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._arrived: list[int] = []
        self._raised: list[int] = []
        self._held = 0

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for one in _SIGNALS:
                handler = signal.getsignal(one)
                if callable(handler):
                    self._before[one] = handler
                    signal.signal(one, self._handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one, handler in self._before.items():
            signal.signal(one, handler)

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Let signals wait for the end of the block; of blocks within blocks, for the outermost."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            while self._arrived and not self._held:
                number = self._arrived.pop(0)
                self._before[number](number, None)

    def renew(self) -> None:
        """Raise again what was raised and has got lost.

        A signal may come while Python collects garbage. What is raised then is printed and forgotten, if it happens
        within a function that a package has registered to be called, as JAX does.
        """
        while self._raised and not self._held:
            number = self._raised.pop()
            self._before[number](number, None)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._held:
            self._arrived.append(number)
            return
        self._raised.append(number)
        self._before[number](number, frame)
        # It has raised nothing.
        self._raised.remove(number)
