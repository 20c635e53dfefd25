"""A candidate: an architecture and the recipe by which it is trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from tinysearch.space.architecture import Architecture, digest
from tinysearch.space.canonical import canonical
from tinysearch.training.recipe import Recipe


@dataclass(frozen=True)
class Candidate:
    """What a strategy proposes and a worker trains.

    The seed is not part of it: one candidate can be trained with several.
    """

    architecture: Architecture
    recipe: Recipe

    @cached_property
    def key(self) -> str:
        """Twelve hexadecimal digits, equal for all candidates that build the same network and train it alike."""
        return digest({"architecture": canonical(self.architecture).to_dict(), "recipe": self.recipe.identity()})
