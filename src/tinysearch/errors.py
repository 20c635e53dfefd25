"""Every error that tinysearch raises on purpose.

The tree::

    TinySearchError
    ├── InputError              what was given cannot be used (the command line exits with 2)
    │   ├── ArchitectureError       a layer or an architecture that makes no sense
    │   │   └── ShapeError              ... or that does not fit the images it is to see
    │   ├── BudgetError             a budget that nothing, or nothing sensible, can meet
    │   ├── SpaceError              a search space, or an architecture outside it
    │   ├── RecipeError             training settings out of range
    │   ├── DatasetError            a dataset that is missing, damaged or mislabelled
    │   │   └── NoTestImagesError       ... or that has no test images, where they are asked for
    │   ├── StoreError              a store that cannot be opened, read or written
    │   │   └── DamagedError            ... or rows of it that cannot be read
    │   ├── RunError                a run that exists already, or does not exist
    │   ├── CandidateError          a candidate that matches no record or file
    │   └── PluginError             a plug-in that cannot be loaded, or is not what it should be
    └── WorkError               something failed while working (the command line exits with 1)
        ├── CostMismatchError       Keras counts other parameters than the arithmetic: a bug of ours
        ├── TrainingError           a candidate could not be trained, and there is nothing to go on with
        ├── WorkerError             the processes that train cannot be started, or were stopped
        └── StoreWriteError         a result could not be written to the store

What a person should know, and what stops nothing, is a ``TinySearchWarning``; the command line prints it as a note.

Messages name an argument in backquotes, as it is typed in Python: "give another `name=`", "leave out `cold=True`". The
command line spells it as its option, see ``cli/spelling.py``.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

# Characters of a value that was given, in a message.
_LONG = 100


class TinySearchError(Exception):
    """Root of all errors of tinysearch."""


class InputError(TinySearchError, ValueError):
    """What was given cannot be used; the message names the value and what would be accepted."""


class ArchitectureError(InputError):
    """A layer, head or architecture that is not legal by itself."""


class ShapeError(ArchitectureError):
    """An architecture that does not fit the shape of its input."""


class BudgetError(InputError):
    """A budget that is not legal, or that no architecture of the space can meet."""


class SpaceError(InputError):
    """A search space that is not legal, or an architecture that is not a member of it."""


class RecipeError(InputError):
    """Training settings that are not legal."""


class DatasetError(InputError):
    """A dataset that cannot be found, read or trusted."""


class NoTestImagesError(DatasetError):
    """A dataset without test images, where they are asked for."""


class StoreError(InputError):
    """A store that cannot be opened, read or written."""


class DamagedError(StoreError):
    """Rows of a store, or lines of an archive, that cannot be read where all of them are needed."""


class RunError(InputError):
    """A run whose name is taken, unknown, or whose settings disagree with the ones given."""


class PluginError(InputError):
    """A plug-in that cannot be found, loaded or made, or that is not what it should be."""


class CandidateError(InputError):
    """A candidate that matches no record, hand-designed baseline or file."""


class WorkError(TinySearchError, RuntimeError):
    """Something failed while working, through no fault of the input."""


class CostMismatchError(WorkError):
    """Keras counts other parameters than the arithmetic does: a bug of tinysearch."""


class TrainingError(WorkError):
    """A candidate could not be trained, and there is nothing to go on with."""


class WorkerError(WorkError):
    """The processes that train cannot be started, or were stopped."""


class StoreWriteError(WorkError):
    """A result could not be written to the store."""


class TinySearchWarning(UserWarning):
    """Something that a person should know, and that stops nothing."""


def check_type(name: str, value: object, kinds: type | tuple[type, ...], wanted: str) -> None:
    """Refuse an argument of another type; ``wanted`` says what it takes.

    Raises:
        InputError: if it is of another type.

    >>> check_type("task", "mnist", int, "a number")
    Traceback (most recent call last):
    tinysearch.errors.InputError: `task=` is a number, got 'mnist'
    """
    if not isinstance(value, kinds):
        got = repr(value)
        raise InputError(f"`{name}=` is {wanted}, got {got if len(got) <= _LONG else f'{got[:_LONG]}...'}")


def meant(name: object, known: Iterable[str], alike: float = 0.6) -> str:
    """Return the end of a message about an unknown name: which one may be meant; nothing if none is as alike, 0 to 1.

    >>> meant("fashion-mnist", ["mnist", "fashion_mnist"]), meant("resnet", ["conv"])
    ("; did you mean 'fashion_mnist'?", '')
    """
    by_small = {one.lower(): one for one in known}
    near = difflib.get_close_matches(str(name).lower(), by_small, 1, alike)
    return f"; did you mean {by_small[near[0]]!r}?" if near else ""
