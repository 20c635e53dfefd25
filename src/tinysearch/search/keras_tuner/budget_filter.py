"""A filter of hyperparameters by a budget, which stores the counted sizes and the number of rejections."""

from __future__ import annotations

import json
import numbers
import textwrap
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import keras_tuner

from tinysearch.errors import BudgetError, ShapeError, WorkError
from tinysearch.report.figures import counted
from tinysearch.space.budget import Budget
from tinysearch.space.cost import Cost

CostFunction = Callable[[keras_tuner.HyperParameters], int | Cost]
UNBUILT = "cannot be built"
# Maximum number of characters shown of an exception.
_LONGEST = 300
# Exceptions that propagate, because no choice of hyperparameters causes them; some are mistakes in the hypermodel.
_GETS_OUT = (BudgetError, WorkError, keras_tuner.errors.FatalError, NameError, AttributeError, ImportError)
# Prefix of the values that oracles add for tuners, such as the epochs of Hyperband.
_OWN_OF_TUNERS = "tuner/"


@dataclass(frozen=True, slots=True)
class Counted:
    """The result of counting a model.

    Args:
        params: Total parameters, or None if the model cannot be built.
        reason: Why it is rejected, or None: ``"params"`` or another bound of the budget, ``"shape"``, or
            ``"cannot be built"``.
    """

    params: int | None
    reason: str | None


class BudgetFilter:
    """Accepts or rejects hyperparameter values by a budget.

    Args:
        budget: Upper bounds.
        cost: Function that returns the cost of values. An exception means that they cannot be built; for a
            ``ShapeError`` the reason is ``"shape"``. A ``NameError``, ``AttributeError`` or ``ImportError`` is a
            mistake in the code and propagates.
    """

    def __init__(self, budget: Budget, cost: CostFunction) -> None:
        self.budget = budget
        self.rejections: Counter[str] = Counter()
        self.smallest: tuple[int, dict[str, Any]] | None = None
        self.failure: Exception | None = None
        self.counted = 0
        self.cost = cost
        self._first: str | None = None
        self._failure_told = False
        self._known: dict[str, Counted] = {}
        self._rejected: set[str] = set()

    def look(self, hyperparameters: keras_tuner.HyperParameters) -> Counted:
        """Count values unless they were counted before; the hypermodel may declare further hyperparameters.

        Raises:
            BudgetError: if the cost function does not return what the budget bounds.
            NameError, AttributeError, ImportError: if the code of the cost function has a mistake.
        """
        key = identity(hyperparameters.values)
        found = self._known.get(key)
        if found is None:
            found = self._count(hyperparameters)
            self.counted += 1
            # Building may have added values of newly declared hyperparameters.
            self._known[key] = self._known[identity(hyperparameters.values)] = found
            if found.params is not None and (self.smallest is None or found.params < self.smallest[0]):
                self.smallest = found.params, dict(hyperparameters.values)
        return found

    def accepts(self, hyperparameters: keras_tuner.HyperParameters) -> bool:
        """Return whether values are within the budget; if not, count them as rejected, equal values once."""
        found = self.look(hyperparameters)
        if found.reason is None:
            return True
        key = identity(hyperparameters.values)
        if key not in self._rejected:
            self._rejected.add(key)
            self.rejections[found.reason] += 1
        return False

    @property
    def needs_costs(self) -> bool:
        """Whether the budget bounds more than parameters."""
        return self.budget != Budget(self.budget.params)

    def over(self, found: Counted) -> str | None:
        """Return a description of the bound that a model violates; None if it is within the budget."""
        if found.params is not None and found.params >= self.budget.params:
            return f"has {found.params:,} parameters, at or above the budget of {self.budget.params:,}"
        return None if found.reason is None else f"is over the limit on {found.reason} of {self.budget!r}"

    def told(self) -> str:
        """Return the number of rejections by reason in words."""
        reasons = self.rejections.most_common()
        return ", ".join(f"{number:,} ({reason})" for reason, number in reasons) or "none"

    def began(self, params: int, rejected: int) -> str:
        """Return a message with the size of a new trial and the number of rejections before it."""
        said = f"{params:,} parameters, below {self.budget.params:,}"
        return said + (f"; {rejected:,} rejected before it, in all {self.told()}" if rejected else "")

    def progress(self) -> str:
        """Return a message with the rejections so far and the size of the smallest model."""
        said = f"looking for {_words(self.budget)}; rejected so far: {self.told()}"
        return said + (f"; the smallest model has {self.smallest[0]:,} parameters" if self.smallest else "")

    def ended(self, trials: int, attempts: int) -> str:
        """Return a message about the reason why a search ends."""
        return (
            f"the search ends after {counted(trials, 'trial')}: {attempts:,} draws in a row gave no new model below "
            f"{self.budget.params:,} parameters; rejected: {self.told()}"
        )

    def tell_failure(self) -> list[str]:
        """Return, only once, a message with the first error of values that cannot be built; if none, an empty list."""
        if self._first is None or self._failure_told:
            return []
        self._failure_told = True
        return [f"the first choice that {UNBUILT} raised {self._first}"]

    def nothing_fits(self) -> BudgetError:
        """Return the error for a search without a model within the budget: the smallest model and the remedy."""
        choices = f"{self.counted:,} different choices of hyperparameters"
        if self.smallest is None:
            kind = type(self.failure).__name__
            # The failure itself is the cause, shown with its traceback.
            error = BudgetError(f"none of {choices} can be built; the last one raised the {kind} shown above")
            error.__cause__ = self.failure
            return error
        smallest, values = self.smallest
        remedy = f"raise the budget above {smallest:,}, or let the hypermodel make smaller models"
        if smallest < self.budget.params:
            remedy = "loosen the other bounds of the budget, or let the hypermodel make models that need less"
        return BudgetError(
            f"no model with {_words(self.budget)} was found among {choices}; the smallest model has {smallest:,} "
            f"parameters, with {values}; {remedy}"
        )

    def _count(self, hyperparameters: keras_tuner.HyperParameters) -> Counted:
        try:
            cost = self.cost(hyperparameters)
        except _GETS_OUT:
            raise
        except ShapeError as error:
            self.failure = error
            return Counted(None, "shape")
        except Exception as error:
            self.failure = error
            self._first = self._first or f"{type(error).__name__}: {textwrap.shorten(str(error), _LONGEST)}"
            return Counted(None, UNBUILT)
        return Counted(*self._judged(cost))

    def _judged(self, cost: int | Cost) -> tuple[int, str | None]:
        if isinstance(cost, Cost):
            return cost.params, self.budget.check(cost).reason
        if self.needs_costs:
            raise BudgetError(
                f"{self.budget!r} bounds more than parameters, so the cost function must return a tinysearch.Cost; got "
                f"{cost!r}"
            )
        if isinstance(cost, bool) or not isinstance(cost, numbers.Real) or not cost >= 0 or cost % 1:
            remedy = "; to count models, pass the function that builds them as hypermodel=" if callable(cost) else ""
            raise BudgetError(
                f"a cost function must return the number of parameters, a whole number of at least 0, or a "
                f"tinysearch.Cost; got {cost!r}{remedy}"
            )
        return int(cost), self.budget.check(Cost(int(cost), 0, 0, 0, 0)).reason


def _words(budget: Budget) -> str:
    return " and ".join(budget.limits)


def identity(values: Mapping[str, Any]) -> str:
    """Return a key that is equal for values that make the same model."""
    kept = sorted((name, value) for name, value in values.items() if not name.startswith(_OWN_OF_TUNERS))
    return json.dumps(kept, default=str)
