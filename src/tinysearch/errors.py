"""Exceptions and warnings of tinysearch.

The tree::

    TinySearchError
    ├── InputError              an input that cannot be used (the command line exits with 2)
    │   ├── ArchitectureError       an invalid layer or architecture
    │   │   └── ShapeError              ... or one that does not fit the shape of its input
    │   ├── BudgetError             an invalid budget, or one that no architecture of the space can meet
    │   ├── SpaceError              an invalid search space, or an architecture outside it
    │   ├── RecipeError             training settings out of range
    │   ├── DatasetError            a dataset that is missing, damaged or mislabelled
    │   │   └── NoTestImagesError       ... or one without test images where they are needed
    │   ├── StoreError              a store that cannot be opened, read or written
    │   │   └── DamagedError            ... or one with rows that cannot be read
    │   ├── RunError                a run that exists already, or does not exist
    │   ├── CandidateError          a candidate that matches no record or file
    │   └── PluginError             a plug-in that cannot be loaded, or is of the wrong type
    └── WorkError               a failure at run time (the command line exits with 1)
        ├── CostMismatchError       Keras counts a different number of parameters: a bug of tinysearch
        ├── TrainingError           a training failed, and the work cannot continue without it
        ├── WorkerError             the worker processes cannot be started, or were stopped
        └── StoreWriteError         a result could not be written to the store

Conditions that the user should know about but that stop nothing are a ``TinySearchWarning``; the command line prints it
as a note.

Messages name an argument in backquotes, as it is typed in Python: "give another `name=`", "leave out `cold=True`". The
command line spells it as its option, see ``cli/spelling.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Maximum number of characters of a given value that a message quotes.
_LONG = 100


class TinySearchError(Exception):
    """Base class of all errors of tinysearch."""


class InputError(TinySearchError, ValueError):
    """An input that cannot be used; the message names the value and what would be accepted."""


class ArchitectureError(InputError):
    """A layer, head or architecture that is invalid in itself."""


class ShapeError(ArchitectureError):
    """An architecture that does not fit the shape of its input."""


class BudgetError(InputError):
    """A budget that is invalid, or that no architecture of the space can meet."""


class SpaceError(InputError):
    """A search space that is invalid, or an architecture that is not a member of it."""


class RecipeError(InputError):
    """Training settings that are invalid."""


class DatasetError(InputError):
    """A dataset that cannot be found, read or trusted."""


class NoTestImagesError(DatasetError):
    """A dataset without test images where they are needed."""


class StoreError(InputError):
    """A store that cannot be opened, read or written."""


class DamagedError(StoreError):
    """A store with rows, or an archive with lines, that cannot be read although all of them are needed."""


class RunError(InputError):
    """A run whose name is taken or unknown, or whose settings disagree with the ones given."""


class PluginError(InputError):
    """A plug-in that cannot be found, loaded or instantiated, or that is of the wrong type."""


class CandidateError(InputError):
    """A candidate that matches no record, hand-designed baseline or file."""


class WorkError(TinySearchError, RuntimeError):
    """A failure at run time that the input did not cause."""


class CostMismatchError(WorkError):
    """Keras counts a different number of parameters than the cost model: a bug of tinysearch."""


class TrainingError(WorkError):
    """A training failed, and the work cannot continue without it."""


class WorkerError(WorkError):
    """The worker processes cannot be started, or were stopped."""


class StoreWriteError(WorkError):
    """A result could not be written to the store."""


class TinySearchWarning(UserWarning):
    """A condition that the user should know about and that stops nothing."""


def check_type(name: str, value: object, kinds: type | tuple[type, ...], wanted: str) -> None:
    """Raise an error if an argument is of another type; ``wanted`` describes the accepted values.

    Raises:
        InputError: if the value is of another type than ``kinds``.

    >>> check_type("task", "mnist", int, "a number")
    Traceback (most recent call last):
    tinysearch.errors.InputError: `task=` is a number, got 'mnist'
    """
    if not isinstance(value, kinds):
        got = repr(value)
        raise InputError(f"`{name}=` is {wanted}, got {got if len(got) <= _LONG else f'{got[:_LONG]}...'}")


def meant(name: object, known: Iterable[str], alike: float = 0.6) -> str:
    """Return a "did you mean" ending for a message about an unknown name; an empty string if no known name is close.

    Args:
        name: The unknown name.
        known: The known names.
        alike: Minimum similarity of a suggestion, 0 to 1.

    >>> meant("fashion-mnist", ["mnist", "fashion_mnist"]), meant("resnet", ["conv"])
    ("; did you mean 'fashion_mnist'?", '')
    """
    by_small = {one.lower(): one for one in known}
    near = difflib.get_close_matches(str(name).lower(), by_small, 1, alike)
    return f"; did you mean {by_small[near[0]]!r}?" if near else ""
