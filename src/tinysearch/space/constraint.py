"""Custom constraints on networks, in addition to the budget."""

from __future__ import annotations

import abc

from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Verdict
from tinysearch.space.cost import Cost


class Constraint(abc.ABC):
    """Accepts or rejects a network before it is trained; a rejected network never becomes a trial.

    It can be a table of measured latencies: ``cost.layers`` has kind, output shape and MACs of every layer.
    """

    @abc.abstractmethod
    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        """Return whether a network may be trained.

        It must depend only on the arguments, and is called many times per trial.

        Args:
            architecture: The network.
            cost: The cost of the network per layer, for the images of the study.

        Returns:
            ``Verdict(True)``, or ``Verdict(False, reason, message)``: rejections are counted by reason, a word or two.
        """
