"""A budget for KerasTuner tuners that create their own oracle."""

from __future__ import annotations

import keras_tuner

from tinysearch.errors import InputError
from tinysearch.search.keras_tuner.budget_filter import CostFunction
from tinysearch.search.keras_tuner.budget_oracle import BudgetOracle
from tinysearch.space.budget import Budget


def limit(
    tuner: keras_tuner.Tuner, budget: float | str | Budget, *, cost: CostFunction | None = None, attempts: int = 1_000
) -> keras_tuner.Tuner:
    """Add a budget to a tuner that creates its own oracle: ``RandomSearch``, ``Hyperband`` and so on.

    Args:
        tuner: Any KerasTuner tuner; it is modified and returned.
        budget, cost, attempts: As for ``BudgetOracle``.

    Raises:
        BudgetError: as for ``BudgetOracle``; if the tuner resumes an earlier search, that is checked here.
        InputError: if ``tuner`` is not a tuner.
    """
    if not isinstance(tuner, keras_tuner.engine.base_tuner.BaseTuner):
        raise InputError(
            f"limit takes a tuner of KerasTuner, such as keras_tuner.RandomSearch(build, ...), got {tuner!r}; for a "
            f"hypermodel without a tuner, use BudgetOracle"
        )
    # A tuner that is a client of another process's oracle trains whatever that oracle allows.
    if isinstance(tuner.oracle, keras_tuner.Oracle):
        tuner.oracle = BudgetOracle(tuner.oracle, budget, tuner.hypermodel, cost=cost, attempts=attempts)
    return tuner
