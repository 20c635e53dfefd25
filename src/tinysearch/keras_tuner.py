"""Integration with KerasTuner: a strict budget for any oracle, tuner and hypermodel.

See ``docs/keras_tuner.md``. Importing this module imports KerasTuner and Keras with its configured backend.
"""

from __future__ import annotations

from tinysearch.runtime.backend import generators_kept, quiet

with quiet(), generators_kept():
    from tinysearch.search.keras_tuner.budget_oracle import BudgetOracle
    from tinysearch.search.keras_tuner.hypermodel import SpaceHyperModel
    from tinysearch.search.keras_tuner.limit import limit

__all__ = ["BudgetOracle", "SpaceHyperModel", "limit"]
