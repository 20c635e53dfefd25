"""Release of KerasTuner's lock of an oracle after an exception in one of the oracle's methods."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras_tuner


@contextmanager
def released_after_errors(oracle: keras_tuner.Oracle) -> Iterator[None]:
    """Release the lock of an oracle if the block ends with an exception while this thread holds it.

    KerasTuner's ``synchronized`` acquires the lock but does not release it after an exception, so the next thread would
    wait forever. A lock that the thread held before the block stays held.
    """
    module: Any = inspect.getmodule(keras_tuner.Oracle)
    name = threading.current_thread().name
    held = module.THREADS.get(oracle) == name
    try:
        yield
    except BaseException:
        if not held and module.THREADS.get(oracle) == name:
            module.THREADS[oracle] = None
            module.LOCKS[oracle].release()
        raise
