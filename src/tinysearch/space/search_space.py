"""The search space: which architectures may be proposed, and how to draw, change and count them."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinysearch.errors import ShapeError, SpaceError, check_type
from tinysearch.space import choices, variation
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost, cost
from tinysearch.space.network_choices import SERIES, UNIFORM, network_choices, tied, uniform
from tinysearch.space.parameters import params as params_of
from tinysearch.space.task import Task
from tinysearch.space.translation import from_architecture, to_architecture

if TYPE_CHECKING:
    import keras_tuner

_ATTEMPTS = 1_000
_WHOLE_DRAWS = 50


class SearchSpace:
    """Architectures that are values of a tree of choices. What is drawn from it can also be built for a task.

    Args:
        task: Input shape and classes; architectures that do not fit it are never drawn.
        tree: The choices, made by ``network_choices``; by default the space that ``tinysearch run`` searches for the
            task.

    >>> space = SearchSpace()
    >>> architecture = space.sample(np.random.default_rng(0))
    >>> architecture in space
    True
    >>> space.decode(space.encode(architecture)) == architecture
    True
    """

    def __init__(self, task: Task | None = None, tree: choices.Group | None = None) -> None:
        self.task = Task() if task is None else task
        check_type("task", self.task, Task, "a tinysearch.Task, such as Task((28, 28, 1), 10)")
        self.tree = network_choices(**(SERIES if self.task.is_series else {})) if tree is None else tree
        check_type("tree", self.tree, choices.Group, "a tree of choices, as network_choices() makes one")
        # Strategies ask for the same parents again and again.
        self._is_member = functools.lru_cache(maxsize=4_096)(self._could_be_drawn)

    def __contains__(self, architecture: object) -> bool:
        return isinstance(architecture, Architecture) and self._is_member(architecture)

    def _could_be_drawn(self, architecture: Architecture) -> bool:
        try:
            self.encode(architecture)
        except SpaceError:
            return False
        return True

    def cost(self, architecture: Architecture) -> Cost | None:
        """Return the cost on the space's task, or None if the architecture does not fit it."""
        try:
            return cost(architecture, self.task)
        except ShapeError:
            return None

    def params(self, architecture: Architecture) -> int | None:
        """Return the parameters on the space's task, or None if the architecture does not fit it."""
        try:
            return params_of(architecture, self.task)
        except ShapeError:
            return None

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw an architecture that can be built, each choice from its prior.

        Where hardly any draw can be, as on very small images, blocks are left out from the end until it can.

        Raises:
            SpaceError: if nothing that can be built turns up in 1,000 draws.
        """
        choose = choices.random_chooser(rng)
        for attempt in range(_ATTEMPTS):
            value = choices.draw(self.tree, choose)
            if rng.random() < UNIFORM:
                value = uniform(value)
            while True:
                architecture = self._built(value)
                if self.params(architecture) is not None:
                    return architecture
                if attempt < _WHOLE_DRAWS or not self._shortened(value):
                    break
        raise self._nothing_fits()

    def sample_between(self, low: int, high: int, rng: np.random.Generator, attempts: int = 40) -> Architecture | None:
        """Draw an architecture with at least ``low`` and fewer than ``high`` parameters.

        A quarter of the attempts draw from the prior and keep what falls into the range; the others scale the
        widths of what was drawn, and leave out blocks from the end where that is not enough, so that narrow ranges
        and small budgets are reached too. Returns None if no attempt succeeds.
        """
        for attempt in range(attempts):
            architecture = self.sample(rng)
            if 4 * attempt >= attempts:
                architecture = self._brought_below(architecture, high)
            if low <= params_of(architecture, self.task) < high:
                return architecture
        return None

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Change one choice, or the list of blocks in one place, and what must change with it; it can be built.

        Raises:
            SpaceError: if the architecture is not in the space, or nothing that can be built turns up.
        """
        value = from_architecture(architecture)
        choices.flatten(self.tree, value)
        for _ in range(_ATTEMPTS):
            mutant = self._built(variation.mutate(self.tree, value, rng))
            if mutant != architecture and self.params(mutant) is not None:
                return mutant
        raise SpaceError("the search space has no other architecture that can be built next to the given one")

    def scaled_below(self, architecture: Architecture, params: int) -> Architecture:
        """Scale all widths by one factor so that the parameters come as close to ``params`` from below as they can.

        Widths stay within the space. What cannot be brought below is returned at its narrowest.
        """
        value = from_architecture(architecture)
        narrow, wide = 0.0, 8.0
        best: Architecture | None = None
        for _ in range(9):
            factor = (narrow + wide) / 2
            candidate = self._scaled(value, factor)
            found = self.params(candidate)
            if found is not None and found < params:
                best, narrow = candidate, factor
            else:
                wide = factor
        if best is None:
            narrowest = self._scaled(value, 0.0)
            best = architecture if self.params(narrowest) is None else narrowest
        return best

    def size(self) -> int:
        """Return the exact number of values of the tree, those that do not fit the task included."""
        return choices.count(self.tree)

    def members(self) -> Iterator[Architecture]:
        """Yield every member that can be built, each value of the tree once; only for small spaces, see ``size``."""
        for value in choices.values(self.tree):
            architecture = to_architecture(value)
            if self.params(architecture) is not None:
                yield architecture

    def smallest(self) -> Cost:
        """Return the cost of the smallest member, found by descending from the shortest networks.

        Raises:
            SpaceError: if no network of the shortest length can be built.
        """
        best: Cost | None = None
        for seed in range(4):
            found = self._descend(np.random.default_rng(seed))
            if found is not None and (best is None or found.params < best.params):
                best = found
        if best is None:
            raise self._nothing_fits()
        return best

    def encode(self, architecture: Architecture) -> dict[str, Any]:
        """Return the choices that make an architecture, as KerasTuner names and values.

        Raises:
            SpaceError: if the architecture is not a member of the space.
        """
        return choices.flatten(self.tree, from_architecture(architecture))

    def decode(self, values: Mapping[str, Any]) -> Architecture:
        """Return the architecture that choices make, the reverse of ``encode``. Inactive names are ignored.

        Raises:
            SpaceError: if an active choice is missing or not legal.
        """
        return to_architecture(choices.draw(self.tree, choices.lookup_chooser(values)))

    def hyperparameters(self) -> keras_tuner.HyperParameters:
        """Declare the whole space to KerasTuner, with conditional scopes, so that its oracles can walk it."""
        import keras_tuner

        hyperparameters = keras_tuner.HyperParameters()
        choices.register(self.tree, hyperparameters)
        return hyperparameters

    def rows(self) -> list[tuple[str, str]]:
        """Return each choice and its legal values in words, a row each, for printing."""
        return choices.rows(self.tree)

    def _descend(self, rng: np.random.Generator) -> Cost | None:
        value = choices.draw(self.tree, choices.shortest_chooser(rng))
        lowest = self.params(to_architecture(value))
        improved = True
        while improved:
            improved = False
            for neighbour in variation.neighbours(self.tree, value):
                found = self.params(to_architecture(neighbour))
                if found is not None and (lowest is None or found < lowest):
                    value, lowest, improved = neighbour, found, True
                    break
        return self.cost(to_architecture(value))

    def _scaled(self, value: Any, factor: float) -> Architecture:
        return self._built(variation.scale(self.tree, value, "filters", factor))

    def _built(self, value: Any) -> Architecture:
        """Return the architecture of a value, its layers tied where that is legal."""
        fitting = tied(value, self.task.input_shape[2])
        if fitting == value:
            return to_architecture(value)
        try:
            choices.flatten(self.tree, fitting)
        except SpaceError:
            return to_architecture(value)
        return to_architecture(fitting)

    def _brought_below(self, architecture: Architecture, params: int) -> Architecture:
        scaled = self.scaled_below(architecture, params)
        value = from_architecture(architecture)
        while params_of(scaled, self.task) >= params and self._shortened(value):
            scaled = self.scaled_below(to_architecture(value), params)
        return scaled

    def _shortened(self, value: Any) -> bool:
        """Leave out blocks from the end, as few as is legal, if the network may be shorter; return whether it could."""
        while value["blocks"]:
            value["blocks"].pop()
            with contextlib.suppress(SpaceError):
                choices.flatten(self.tree, value)
                return True
        return False

    def _nothing_fits(self) -> SpaceError:
        height, width, channels = self.task.input_shape
        return SpaceError(
            f"no architecture of the search space fits an input of {height}x{width}x{channels} in {_ATTEMPTS:,} "
            f"draws; the space needs smaller kernels, fewer poolings or padding 'same'"
        )
