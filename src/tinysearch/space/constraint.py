"""Custom constraints on networks, in addition to the budget."""

from __future__ import annotations

import abc

from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Verdict
from tinysearch.space.cost import Cost


class Constraint(abc.ABC):
    """Custom constraint that accepts or rejects a network before training; a rejected network never becomes a trial.

    It can use a table of measured latencies: ``cost.layers`` has the kind, output shape and MACs of each layer.
    """

    @abc.abstractmethod
    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        """Return whether a network may be trained.

        The result must depend only on the arguments. The method is called many times per trial.

        Args:
            architecture: The network.
            cost: The cost of the network per layer, for the images of the study.

        Returns:
            ``Verdict(True)``, or ``Verdict(False, reason, message)``. The reason is a word or two; rejections are
            counted by it.
        """
