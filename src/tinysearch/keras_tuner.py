"""For users of KerasTuner: a budget that holds, for any oracle, any tuner and any hypermodel.

See ``docs/keras_tuner.md``. Importing this module loads KerasTuner, and Keras with the backend that it is set to.
"""

from __future__ import annotations

from tinysearch.runtime.backend import generators_kept, quiet

with quiet(), generators_kept():
    from tinysearch.search.keras_tuner.budget_oracle import BudgetOracle, limit
    from tinysearch.search.keras_tuner.hypermodel import SpaceHyperModel

__all__ = ["BudgetOracle", "SpaceHyperModel", "limit"]
