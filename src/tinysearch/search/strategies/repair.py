"""Repair of an architecture that cannot be trained: the nearest one that can be."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.architecture import Architecture, Conv, DepthwiseConv, Layer, Residual, SeparableConv


def repaired(architecture: Architecture, problem: Problem) -> Architecture | None:
    """Return the nearest architecture that can be built and is within the budget.

    From the first layer to the last, a layer that does not fit the layers before it first loses its shortcut, then its
    repetition, and then its padding becomes ``"same"``. If it still does not fit, it is left out. The widths of a
    result over the budget are scaled down.

    Returns:
        None if the result is still not a member of the space within the budget.
    """
    layers: tuple[Layer, ...] = ()
    for layer in architecture.layers:
        for form in _forms(layer):
            if problem.space.cost(Architecture((*layers, form), architecture.head)) is not None:
                layers = (*layers, form)
                break
    if not layers:
        return None
    found = Architecture(layers, architecture.head)
    if found not in problem.space:
        return None
    if not problem.fits(found):
        found = problem.space.scaled_below(found, problem.budget.params)
    return found if problem.fits(found) else None


def _forms(layer: Layer) -> Iterator[Layer]:
    """Yield a layer, then simpler forms of it, each without another property that may not fit."""
    yield layer
    if isinstance(layer, Residual) and len(layer.body) == 1:
        layer = layer.body[0]
        yield layer
    if isinstance(layer, (Conv, SeparableConv, DepthwiseConv)):
        if layer.repeat > 1:
            layer = replace(layer, repeat=1)
            yield layer
        if layer.padding == "valid":
            yield replace(layer, padding="same")
