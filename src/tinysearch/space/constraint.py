"""Constraints of one's own: which networks may be trained, beside the budget."""

from __future__ import annotations

import abc

from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Verdict
from tinysearch.space.cost import Cost


class Constraint(abc.ABC):
    """Accepts or rejects a network before it is trained; what is rejected never becomes a trial.

    A table of measured latencies can be one: ``cost.layers`` has kind, output shape and MACs of every layer.
    """

    @abc.abstractmethod
    def check(self, architecture: Architecture, cost: Cost) -> Verdict:
        """Return whether a network may be trained.

        It depends on nothing but the arguments, and is called many times for each trial.

        Args:
            architecture: The network.
            cost: What it costs, layer by layer, for the images of the study.

        Returns:
            ``Verdict(True)``, or ``Verdict(False, reason, message)``: rejections are counted by reason, a word or two.
        """
