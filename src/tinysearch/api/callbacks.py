"""Conversion of the ``callbacks`` argument: instances, classes, and names of classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from tinysearch.errors import PluginError

if TYPE_CHECKING:
    from tinysearch.results.callback import Callback

CallbackLike: TypeAlias = "Callback | type[Callback] | str"


def callbacks_of(given: Iterable[CallbackLike]) -> list[Callback]:
    """Return instances of callbacks: classes are called without arguments, names are looked up.

    Raises:
        PluginError: if the argument is not a list, or a callback cannot be found, loaded or created.
    """
    from tinysearch.results.callback import Callback
    from tinysearch.runtime.plugins import find, made

    listed: Any = given
    if isinstance(listed, (str, type)) or not isinstance(listed, Iterable):
        raise PluginError(f"callbacks are given as a list, `callbacks=[...]`, got {listed!r}")
    found = [find("callback", one) if isinstance(one, str) else one for one in listed]
    return [made("callback", one, Callback) for one in found]
