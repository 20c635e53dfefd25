"""Conversion of the ``callbacks`` argument (instances, classes, names of classes), and notification of the end."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

from tinysearch.errors import PluginError
from tinysearch.results.callback import Callback, Callbacks, Ending

CallbackLike: TypeAlias = Callback | type[Callback] | str


def callbacks_of(given: Iterable[CallbackLike]) -> list[Callback]:
    """Return instances of callbacks: classes are called without arguments, names are looked up.

    Raises:
        PluginError: if the argument is not a list, or a callback cannot be found, loaded or created.
    """
    from tinysearch.runtime.plugins import find, made

    listed: Any = given
    if isinstance(listed, (str, type)) or not isinstance(listed, Iterable):
        raise PluginError(f"callbacks are given as a list, `callbacks=[...]`, got {listed!r}")
    found = [find("callback", one) if isinstance(one, str) else one for one in listed]
    return [made("callback", one, Callback) for one in found]


class WithoutEnd(Callbacks):
    """A callback that forwards every event but the end: for work that is a part of a call."""

    def on_end(self, ending: Ending) -> None:
        pass


@contextmanager
def failure_told(callback: Callback) -> Iterator[None]:
    """Notify a callback of the end if an error or Ctrl-C ends the work; both are raised again."""
    try:
        yield
    except KeyboardInterrupt:
        callback.on_end("interrupted")
        raise
    except BaseException:
        callback.on_end("failed")
        raise
