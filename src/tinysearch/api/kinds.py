"""Type checks of the arguments that are not settings of the search."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike

from tinysearch.errors import InputError, check_type
from tinysearch.space.scalars import integer, real


def check_kinds(**given: object) -> None:
    """Check the values of arguments, given by name; None means not given.

    Raises:
        InputError: if a value has the wrong type or is out of range.
    """
    for name, value in given.items():
        wanted = None if value is None else _wanted(name, value)
        if wanted is not None:
            raise InputError(f"`{name}=` is {wanted}, got {value!r}")


def check_instead(executor: object, **given: object) -> None:
    """Raise an error if an argument for local worker processes is combined with an executor; None means not given.

    Raises:
        InputError: if both are given, or ``executor`` is not an ``Executor``.
    """
    if executor is None:
        return
    from tinysearch.workers.executor import Executor

    examples = "such as tinysearch.executors.Ray() or tinysearch.executors.Local(workers=2)"
    check_type("executor", executor, Executor, f"an Executor, {examples}")
    for name, value in given.items():
        if value is not None:
            raise InputError(
                f"`{name}={value!r}` is for local worker processes, and `executor=` replaces them; leave it out, or "
                f"pass it to the executor when you create it"
            )


def _wanted(name: str, value: object) -> str | None:
    """Return in words what an argument must be; None if its value is valid."""
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.runs import check_name
    from tinysearch.results.store import Store

    match name:
        case "workers" | "seeds" | "top" | "worker_memory":
            count = integer(value)
            what = "number of bytes, " if name == "worker_memory" else "number of "
            return f"a whole {what}at least 1" if count is None or count < 1 else None
        case "time_limit" | "stall_limit":
            seconds = real(value)
            # NaN fails the comparison, so it is refused too.
            return None if seconds is not None and seconds >= 0 else "a number of seconds, at least 0"
        case "store":
            return None if isinstance(value, (str, PathLike, Store)) else "the path of a file or a Store"
        case "reading":
            return None if isinstance(value, Reading) else "a tinysearch.Reading, such as Reading(layout='hwc')"
        case "augment":
            ways = "'auto', 'none', 'recipe', a mapping of amounts or the path of a JSON file"
            return None if isinstance(value, (str, PathLike, Mapping)) else ways
        case "verbose":
            return None if isinstance(value, (bool, int)) else "True or False"
        case "name" | "run":
            if not isinstance(value, str):
                return "a text, the name of a run"
            check_name(value)
            return None
    raise AssertionError(f"there is no check for {name}")
