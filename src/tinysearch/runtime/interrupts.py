"""Deferral of signals during blocks that must not be interrupted."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name))


class Interrupts:
    """Context manager within which blocks can defer Ctrl-C and termination signals.

    Outside of such blocks, signals act as before. In other threads than the main one it does nothing, because only the
    main thread handles signals.
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
        """Defer signals until the end of the block, or of the outermost of nested blocks."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            while self._arrived and not self._held:
                number = self._arrived.pop(0)
                self._before[number](number, None)

    def renew(self) -> None:
        """Raise exceptions of signals again that were raised but got lost.

        A signal may arrive during garbage collection. If a package has registered a callback for it, as JAX does, an
        exception that is raised in this callback is printed and discarded.
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
        # The handler has raised nothing.
        self._raised.remove(number)
