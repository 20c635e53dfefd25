"""The rule that a search must beat: random networks of plain stages, without learning from trainings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tinysearch.results.record import Record
from tinysearch.search.strategies.strategy import Strategy
from tinysearch.space.architecture import Architecture, Conv, Head, Pool, SeparableConv
from tinysearch.training.candidate import Candidate


class PlainStages(Strategy):
    """Strategy that draws networks as in the evidence of ``docs/ablations.md``: one pooling after layer 2 or 3.

    A network is a convolution, one or two more layers, 2x2 max pooling, then two to six separable convolutions of
    constant or growing width, without padding, biases or shortcuts; widths are scaled to the budget.
    """

    def propose(
        self, history: Sequence[Record], rng: np.random.Generator, pending: Sequence[Candidate] = ()
    ) -> Candidate:
        """Return the next candidate; the history is ignored."""
        early = int(rng.integers(1, 3))
        late = int(rng.integers(2, 8 - early))
        growth = float(rng.choice([1.0, 1.15]))
        second = SeparableConv if rng.random() < 0.8 else Conv
        unit = {"padding": "valid", "norm": "before", "bias": False}
        width = float(rng.uniform(1.2, 2.2))
        layers = [Conv(8, **unit), *(second(round(8 * width), **unit) for _ in range(early)), Pool()]
        later = float(rng.uniform(1.0, 1.3)) * width
        layers += [SeparableConv(round(8 * later * growth**index), **unit) for index in range(late)]
        drawn = Architecture(tuple(layers), Head("average"))
        return self.problem.candidate(self.problem.space.scaled_below(drawn, self.problem.budget.params))
