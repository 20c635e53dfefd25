"""Survey of a search space: its size, its smallest member, and the share of random members within a budget."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from tinysearch.space.architecture import Architecture
from tinysearch.space.budget import Budget
from tinysearch.space.cost import Cost
from tinysearch.space.notation import notation
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task


@dataclass(frozen=True, slots=True)
class Survey:
    """Figures of a space under a budget.

    Args:
        budget: The bound on parameters.
        size: Exact number of combinations of choices, including those that do not fit the images.
        smallest: Number of parameters of the smallest member.
        draws: Number of random members that were drawn.
        within: Number of them within the budget.
        seed: Seed of the draws.
        choices: Each choice with its legal values, in words.
        samples: Some members within the budget, with their costs.
    """

    budget: Budget
    size: int
    smallest: int
    draws: int
    within: int
    seed: int
    choices: tuple[tuple[str, str], ...]
    samples: tuple[tuple[Architecture, Cost], ...]

    @property
    def share(self) -> float:
        """Estimated share of random members within the budget."""
        return self.within / self.draws

    @property
    def share_error(self) -> float:
        """Standard error of the share."""
        return float(np.sqrt(self.share * (1 - self.share) / self.draws))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; the size is text, as it has hundreds of digits."""
        return {
            "budget": self.budget.params,
            "size": str(self.size),
            "smallest_params": self.smallest,
            "share_within_budget": self.share,
            "share_standard_error": self.share_error,
            "draws": self.draws,
            "seed": self.seed,
            "choices": dict(self.choices),
            "samples": [
                {"layers": notation(member), "params": cost.params, "macs": cost.macs, "architecture": member.to_dict()}
                for member, cost in self.samples
            ],
        }


def survey(
    budget: Budget, *, space: SearchSpace | None = None, draws: int = 1_000, samples: int = 5, seed: int = 0
) -> Survey:
    """Draw random members of a space and count those within a budget."""
    space = space or SearchSpace()
    within = [(member, cost) for member, cost in random_members(space, draws, seed) if budget.check(cost).accepted]
    return Survey(
        budget=budget,
        size=space.size(),
        smallest=space.smallest().params,
        draws=draws,
        within=len(within),
        seed=seed,
        choices=tuple(space.rows()),
        samples=tuple(within[:samples]),
    )


def random_members(space: SearchSpace, draws: int, seed: int = 0) -> tuple[tuple[Architecture, Cost], ...]:
    """Draw random members of a space, with their costs.

    The latest draws are cached: every run begins with the same members of its space, so that a frontier of five budgets
    would draw them five times.
    """
    return _drawn(_Described(space.task, repr(space.tree), space), draws, seed)


@dataclass(frozen=True)
class _Described:
    """Cache key of a space: equal for equal choices and tasks."""

    task: Task
    choices: str
    space: SearchSpace = field(compare=False)


@functools.lru_cache(maxsize=2)
def _drawn(described: _Described, draws: int, seed: int) -> tuple[tuple[Architecture, Cost], ...]:
    space, rng = described.space, np.random.default_rng(seed)
    members = (space.sample(rng) for _ in range(draws))
    return tuple((member, found) for member in members if (found := space.cost(member)) is not None)
