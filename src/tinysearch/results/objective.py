"""Objectives: the metrics that a search optimizes and ranks by.

An objective is computed from true and predicted classes. Workers measure every known objective on the validation
images. With imbalanced classes, accuracy is misleading: if 95 % of the images belong to one of two classes, a network
that always predicts this class has an accuracy of 95 %, a balanced accuracy of 50 % and a macro F1 of 49 %.
"""

from __future__ import annotations

import abc
import copy
import math
import pickle
from typing import TYPE_CHECKING, Any, Final

from tinysearch.errors import InputError, PluginError
from tinysearch.results.record import ACCURACY, DIRECTIONS, INT8_ACCURACY, Direction, Record
from tinysearch.runtime.plugins import find, made, name_of

if TYPE_CHECKING:
    # Not imported at run time, because a leaderboard does not need NumPy.
    import numpy as np
    import numpy.typing as npt

    Classes = npt.NDArray[np.integer[Any]]
    Counts = npt.NDArray[np.int64]


class Objective(abc.ABC):
    """A metric to maximize or minimize. A subclass defines a name, which is stored with results, and ``value``.

    Attributes:
        name: The name, printable text.
        title: The name for display; by default the name.
        direction: ``"max"`` if a larger value is better, ``"min"`` if a smaller one is.
    """

    name: str = ""
    title: str = ""
    direction: Direction = "max"

    @abc.abstractmethod
    def value(self, labels: Classes, predicted: Classes) -> float:
        """Return the value, a finite number. A candidate without a finite value after its last epoch counts as failed.

        Args:
            labels: Classes of the images, shape ``(images,)``, at least one.
            predicted: Predicted classes, of the same shape.
        """

    def of(self, record: Record) -> float | None:
        """Return the value of a record, on the validation images after the last epoch; None if it is not known."""
        return record.by(self.name, self.direction).value


class Accuracy(Objective):
    """The fraction of images classified correctly."""

    name = ACCURACY
    title = "accuracy"

    def value(self, labels: Classes, predicted: Classes) -> float:
        """Return the fraction."""
        _counts(labels, predicted)
        return float((labels == predicted).mean())


class BalancedAccuracy(Objective):
    """The mean over classes of the fraction of their images classified correctly (Brodersen et al., 2010).

    Classes without an image are left out, as in ``sklearn.metrics.balanced_accuracy_score``.
    """

    name = "balanced_accuracy"
    title = "balanced accuracy"

    def value(self, labels: Classes, predicted: Classes) -> float:
        """Return the mean."""
        counts = _counts(labels, predicted)
        images = counts.sum(axis=1)
        occurring = images > 0
        return float((counts.diagonal()[occurring] / images[occurring]).mean())


class MacroF1(Objective):
    """The mean over classes of F1, the harmonic mean of precision and recall.

    Classes that neither occur nor are predicted are left out. A class without a correct prediction has an F1 of 0, as
    in ``sklearn.metrics.f1_score`` with ``average="macro"``.
    """

    name = "macro_f1"
    title = "macro F1"

    def value(self, labels: Classes, predicted: Classes) -> float:
        """Return the mean."""
        counts = _counts(labels, predicted)
        seen = counts.sum(axis=0) + counts.sum(axis=1)
        occurring = seen > 0
        return float((2 * counts.diagonal()[occurring] / seen[occurring]).mean())


OBJECTIVES: Final[dict[str, Objective]] = {one.name: one for one in (Accuracy(), BalancedAccuracy(), MacroF1())}


def objective(one: str | Objective | type[Objective]) -> Objective:
    """Return an objective given by name, as an instance or as a class.

    A plug-in that is given as ``module:Class`` has this text as its name in settings and stores.

    Raises:
        InputError: if the name is unknown, the class cannot be called without arguments, or the value is not a valid
            objective.
    """
    if isinstance(one, str):
        if one in OBJECTIVES:
            return OBJECTIVES[one]
        own = copy.copy(objective(find("objective", one, OBJECTIVES)))
        # Not by assignment, which frozen classes refuse.
        vars(own).update(title=own.title or own.name, name=one)
        return own
    found: object = made("objective", one, Objective) if isinstance(one, type) else one
    if not isinstance(found, Objective):
        raise InputError(f"an objective is a name or a tinysearch Objective; got {found!r}")
    named = isinstance(found.name, str) and found.name.strip() and found.name.isprintable()
    if not named or found.direction not in DIRECTIONS:
        raise InputError(
            f"an objective needs a name and one of the directions {', '.join(DIRECTIONS)}; {type(found).__name__} has "
            f"{found.name!r} and {found.direction!r}"
        )
    return found


def objective_name(given: Objective | type[Objective]) -> str:
    """Return the name by which workers find an objective: that of a built-in one, or its class as ``module:Class``.

    Raises:
        InputError: if it is not a valid objective.
        PluginError: if it is an instance that differs from what its class returns without arguments.
    """
    one = objective(given)
    named = name_of(given)
    if one is given and not _is_default(one):
        raise PluginError(
            f"workers create the objective {named} without arguments, and this one differs from that; give a subclass "
            f"that sets its values, or the name of an instance in a module, as `objective='module:name'`"
        )
    return next((name for name, known in OBJECTIVES.items() if type(known) is type(one)), named)


def _is_default(one: Objective) -> bool:
    """Return whether an objective equals what its class returns without arguments; False if that is not known."""
    try:
        # Pickles also compare slots and arrays.
        return pickle.dumps(type(one)()) == pickle.dumps(one)
    except Exception:
        return False


def measured(labels: Classes, predicted: Classes, wanted: Objective | None = None) -> dict[str, float]:
    """Return the values of all known objectives except accuracy, which is always measured, and of ``wanted``.

    Values that are not finite, such as the Matthews correlation of a single predicted class, are left out.

    Args:
        labels: Classes of the images, shape ``(images,)``.
        predicted: Predicted classes, of the same shape.
        wanted: An additional objective, which may be unknown.
    """
    every = dict(OBJECTIVES) if wanted is None else {**OBJECTIVES, wanted.name: wanted}
    values = {name: float(one.value(labels, predicted)) for name, one in every.items() if name != ACCURACY}
    return {name: value for name, value in values.items() if math.isfinite(value)}


def title_of(name: str) -> str:
    """Return the display name of an objective or of another metric.

    >>> title_of("macro_f1"), title_of("mine:Cost")
    ('macro F1', 'mine:Cost')
    """
    if name == INT8_ACCURACY:
        return "accuracy in int8"
    return (OBJECTIVES[name].title if name in OBJECTIVES else "") or name


def _counts(labels: Classes, predicted: Classes) -> Counts:
    """Return the confusion matrix, true classes in rows and predicted ones in columns, shape ``(classes, classes)``."""
    import numpy as np

    if labels.shape != predicted.shape or labels.ndim != 1 or not labels.size:
        raise ValueError(
            f"labels and predicted classes must have the same shape (images,) with at least one image; got "
            f"{labels.shape} and {predicted.shape}"
        )
    classes = int(max(labels.max(), predicted.max())) + 1
    pairs = labels.astype(np.int64) * classes + predicted
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int64)
