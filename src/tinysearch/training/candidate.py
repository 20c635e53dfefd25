"""Candidates: an architecture with the recipe to train it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinysearch.space.architecture import Architecture, digest
from tinysearch.space.canonical import canonical
from tinysearch.training.recipe import Recipe


@dataclass(frozen=True)
class Candidate:
    """An architecture and a recipe. A strategy proposes candidates, and workers train them.

    The seed is not part of a candidate: one candidate can be trained with several seeds.
    """

    architecture: Architecture
    recipe: Recipe

    @cached_property
    def key(self) -> str:
        """Twelve hexadecimal digits, equal for all candidates that build the same network and have equal recipes."""
        return digest({"architecture": canonical(self.architecture).to_dict(), "recipe": self.recipe.identity()})
