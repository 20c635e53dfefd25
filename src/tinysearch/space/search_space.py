"""The search space: the architectures that may be proposed, with methods to draw, mutate and count them."""

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
    """Search space of the architectures that are values of a tree of choices. Every one drawn can be built for a task.

    Args:
        task: Input shape and classes; architectures that do not fit it are never drawn.
        tree: The choices, from ``network_choices``; by default the space that ``tinysearch run`` searches for the task.

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
        # Strategies check the same parents repeatedly.
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
        """Return the number of parameters on the space's task, or None if the architecture does not fit it."""
        try:
            return params_of(architecture, self.task)
        except ShapeError:
            return None

    def sample(self, rng: np.random.Generator) -> Architecture:
        """Draw an architecture that can be built, each choice from its prior.

        If hardly any draw can be built, as on very small images, blocks are removed from the end until it can.

        Raises:
            SpaceError: if none of 1,000 draws can be built.
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

        A quarter of the attempts draw from the prior and keep a draw within the range. The others scale the widths of
        the draw and, if that is not enough, remove blocks from the end, so that they reach narrow ranges and small
        budgets too. Returns None if no attempt succeeds.
        """
        for attempt in range(attempts):
            architecture = self.sample(rng)
            if 4 * attempt >= attempts:
                architecture = self._brought_below(architecture, high)
            if low <= params_of(architecture, self.task) < high:
                return architecture
        return None

    def mutate(self, architecture: Architecture, rng: np.random.Generator) -> Architecture:
        """Return a mutant that can be built: one choice or one list differs, and whatever must change with it.

        Raises:
            SpaceError: if the architecture is not in the space, or none of 1,000 mutants differs and can be built.
        """
        value = from_architecture(architecture)
        choices.flatten(self.tree, value)
        for attempt in range(_ATTEMPTS):
            mutant = self._built(variation.mutate(self.tree, value, rng))
            if mutant != architecture and self.params(mutant) is not None:
                return mutant
            # The size is computed only if it may be 1, so that other mutants cost no more.
            if not attempt and self.size() == 1:
                break
        raise SpaceError("the search space has no mutant of the given architecture that can be built")

    def scaled_below(self, architecture: Architecture, params: int) -> Architecture:
        """Scale all widths by one factor so that the number of parameters is as close below ``params`` as possible.

        Widths stay within the space. An architecture that cannot be scaled below is returned with its smallest widths.
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
        """Return the exact number of values of the tree, including those that do not fit the task."""
        return choices.count(self.tree)

    def members(self) -> Iterator[Architecture]:
        """Yield every member that can be built, each value of the tree once; only for small spaces, see ``size``."""
        for value in choices.values(self.tree):
            architecture = to_architecture(value)
            if self.params(architecture) is not None:
                yield architecture

    def smallest(self) -> Cost:
        """Return the cost of the ``smallest_member``.

        Raises:
            SpaceError: see ``smallest_member``.
        """
        found = self.cost(self.smallest_member())
        assert found is not None  # noqa: S101
        return found

    def smallest_member(self) -> Architecture:
        """Return the member with the fewest parameters, found by descending from the shortest networks.

        Raises:
            SpaceError: if no network of the shortest length can be built.
        """
        descended = (self._descend(np.random.default_rng(seed)) for seed in range(4))
        members = [(params, one) for one in descended if (params := self.params(one)) is not None]
        if not members:
            raise self._nothing_fits()
        return min(members, key=lambda member: member[0])[1]

    def encode(self, architecture: Architecture) -> dict[str, Any]:
        """Return the choices of an architecture as KerasTuner names and values.

        Raises:
            SpaceError: if the architecture is not a member of the space.
        """
        return choices.flatten(self.tree, from_architecture(architecture))

    def decode(self, values: Mapping[str, Any]) -> Architecture:
        """Return the architecture of some choices, the reverse of ``encode``. Inactive names are ignored.

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
        """Return each choice and its legal values in words, one row each, for printing."""
        return choices.rows(self.tree)

    def _descend(self, rng: np.random.Generator) -> Architecture:
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
        return to_architecture(value)

    def _scaled(self, value: Any, factor: float) -> Architecture:
        return self._built(variation.scale(self.tree, value, "filters", factor))

    def _built(self, value: Any) -> Architecture:
        """Return the architecture of a value, with its layers ``tied`` if the result is legal."""
        channels = self.task.input_shape[2]
        # In some spaces, every layer is applied several times or has a shortcut, so the first layer is tied too.
        for fitting in (tied(value, channels), tied(value, channels, plain_first=False)):
            if fitting == value:
                break
            with contextlib.suppress(SpaceError):
                choices.flatten(self.tree, fitting)
                return to_architecture(fitting)
        return to_architecture(value)

    def _brought_below(self, architecture: Architecture, params: int) -> Architecture:
        scaled = self.scaled_below(architecture, params)
        value = from_architecture(architecture)
        while params_of(scaled, self.task) >= params and self._shortened(value):
            scaled = self.scaled_below(to_architecture(value), params)
        return scaled

    def _shortened(self, value: Any) -> bool:
        """Remove as few blocks as legal from the end, in place; return whether a shorter legal network exists."""
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
            f"draws; the space needs smaller kernels, fewer poolings, padding 'same', or a first layer without repeats "
            f"and shortcuts, which may change the number of channels"
        )
