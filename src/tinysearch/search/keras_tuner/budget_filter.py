"""What is within a budget: remembers what was counted, and counts what was rejected."""

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
# Characters of an exception that are shown.
_LONGEST = 300
# What no choice of hyperparameters is to blame for: mistakes in the code of the hypermodel are among it.
_GETS_OUT = (BudgetError, WorkError, keras_tuner.errors.FatalError, NameError, AttributeError, ImportError)
# What oracles add to the choices for tuners, Hyperband's epochs for example.
_OWN_OF_TUNERS = "tuner/"


@dataclass(frozen=True, slots=True)
class Counted:
    """What was found out about some values.

    Args:
        params: Total parameters, or None if the model cannot be built.
        reason: Why it is rejected, or None: ``"params"`` or another bound of the budget, ``"shape"``, or
            ``"cannot be built"``.
    """

    params: int | None
    reason: str | None


class BudgetFilter:
    """Accepts or rejects values of hyperparameters by a budget.

    Args:
        budget: Upper bounds.
        cost: What values cost. An exception means that they cannot be built; if it is a ``ShapeError``, they are
            rejected by ``"shape"``. A ``NameError``, ``AttributeError`` or ``ImportError`` is a mistake in the code,
            and gets out.
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
        """Count values that were not counted before; the hypermodel may declare more hyperparameters meanwhile.

        Raises:
            BudgetError: if the cost function cannot tell what the budget asks for.
            NameError, AttributeError, ImportError: if its code has a mistake.
        """
        key = identity(hyperparameters.values)
        found = self._known.get(key)
        if found is None:
            found = self._count(hyperparameters)
            self.counted += 1
            # Building may have added the values of what it declared.
            self._known[key] = self._known[identity(hyperparameters.values)] = found
            if found.params is not None and (self.smallest is None or found.params < self.smallest[0]):
                self.smallest = found.params, dict(hyperparameters.values)
        return found

    def accepts(self, hyperparameters: keras_tuner.HyperParameters) -> bool:
        """Whether values are within the budget; if not, they are counted as rejected, the same ones once."""
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
        """Return in words which bound a model is at or above; None if it is within the budget."""
        if found.params is not None and found.params >= self.budget.params:
            return f"has {found.params:,} parameters, at or above the budget of {self.budget.params:,}"
        return None if found.reason is None else f"is over the limit on {found.reason} of {self.budget!r}"

    def told(self) -> str:
        """Return in words what was rejected."""
        reasons = self.rejections.most_common()
        return ", ".join(f"{number:,} ({reason})" for reason, number in reasons) or "none"

    def began(self, params: int, rejected: int) -> str:
        """Return in words the size of a trial that begins, and how many were rejected before it."""
        said = f"{params:,} parameters, below {self.budget.params:,}"
        return said + (f"; {rejected:,} rejected before it, in all {self.told()}" if rejected else "")

    def progress(self) -> str:
        """Return in words what was rejected, and how small models are."""
        said = f"looking for {_words(self.budget)}; rejected so far: {self.told()}"
        return said + (f"; the smallest model has {self.smallest[0]:,} parameters" if self.smallest else "")

    def ended(self, trials: int, attempts: int) -> str:
        """Return in words why a search ends."""
        return (
            f"the search ends after {counted(trials, 'trial')}: {attempts:,} draws in a row brought nothing new below "
            f"{self.budget.params:,} parameters; rejected: {self.told()}"
        )

    def tell_failure(self) -> list[str]:
        """Return in words, once, what the first values that cannot be built raised; nothing if all can be."""
        if self._first is None or self._failure_told:
            return []
        self._failure_told = True
        return [f"the first choice that {UNBUILT} raised {self._first}"]

    def nothing_fits(self) -> BudgetError:
        """Return the error that nothing within the budget was found, with the smallest model and what to change."""
        choices = f"{self.counted:,} different choices of hyperparameters"
        if self.smallest is None:
            kind = type(self.failure).__name__
            # The failure itself is shown with its traceback as the cause.
            error = BudgetError(f"none of {choices} can be built; the last one raised the {kind} shown above")
            error.__cause__ = self.failure
            return error
        smallest, values = self.smallest
        remedy = f"raise the budget above {smallest:,}, or let the hypermodel make smaller models"
        if smallest < self.budget.params:
            remedy = "loosen the other bounds of the budget, or let the hypermodel make models that need less"
        return BudgetError(
            f"nothing with {_words(self.budget)} was found among {choices}; the smallest model has {smallest:,} "
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
                f"{self.budget!r} bounds more than parameters, but the cost function gives only a number of them; it "
                f"must return a tinysearch.Cost, got {cost!r}"
            )
        if isinstance(cost, bool) or not isinstance(cost, numbers.Real) or not cost >= 0 or cost % 1:
            remedy = "; to have models counted, give what builds them as hypermodel=" if callable(cost) else ""
            raise BudgetError(
                f"a cost function returns a number of parameters, a whole one of at least 0, or a tinysearch.Cost; got "
                f"{cost!r}{remedy}"
            )
        return int(cost), self.budget.check(Cost(int(cost), 0, 0, 0, 0)).reason


def _words(budget: Budget) -> str:
    return " and ".join(budget.limits)


def identity(values: Mapping[str, Any]) -> str:
    """Return what two sets of values have in common that make the same model."""
    kept = sorted((name, value) for name, value in values.items() if not name.startswith(_OWN_OF_TUNERS))
    return json.dumps(kept, default=str)
