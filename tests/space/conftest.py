from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest
from hypothesis import strategies as st

from tinysearch.errors import SpaceError
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.choices import Node, draw, flatten
from tinysearch.space.convolution import ACTIVATIONS, NORMS, PADDINGS
from tinysearch.space.leaves import Leaf
from tinysearch.space.task import Task

Sides = tuple[tuple[int, int], ...]

TASKS = (Task(), Task((20, 17, 3), 7))
DROPOUTS = st.builds(Dropout, st.sampled_from([0.0, 0.1, 0.5]))
HEADS = st.builds(Head, st.sampled_from(["flatten", "average", "max"]), st.sampled_from([0, 1, 5, 16]))


class Flow(NamedTuple):
    """Images on their way: their sizes on each task, and their channels, None while those differ between tasks."""

    sides: Sides
    channels: int | None


@pytest.fixture(scope="session")
def tasks() -> tuple[Task, ...]:
    """The tasks that free-form architectures fit: MNIST's, and one that is neither square nor grey."""
    return TASKS


@pytest.fixture(scope="session")
def free_form() -> st.SearchStrategy[Architecture]:
    """Architectures that the default space knows nothing of; each fits all ``tasks``."""
    return architectures()


@pytest.fixture(scope="session")
def every_value() -> Callable[[Node], Iterator[Any]]:
    """Find the values of a tree of choices by brute force, for trees that are tiny."""
    return every


# Whatever may be an option in the trees of the tests; most of it is legal nowhere.
ANYTHING: tuple[Any, ...] = (
    *range(13),
    *(False, True, 0.0, 0.5, 1.0, "", "1"),
    *("a", "b", "red", "blue"),
    *("conv", "separable", "depthwise", "inception"),
    *("1x1", "3x3", "5x5", "same", "valid", "relu", "linear", "none", "before", "after", "average", "max", "flatten"),
)


def every(node: Node) -> Iterator[Any]:
    """Answer each question of ``draw`` with all that is legal of ``ANYTHING``, as the wheels of an odometer turn."""
    legal: dict[str, list[Any]] = {}
    wheels: list[int] = []
    sizes: list[int] = []

    def choose(path: str, leaf: Leaf) -> Any:
        if path not in legal:
            legal[path] = [one for one in ANYTHING if accepts(leaf, one)]
        if len(sizes) == len(wheels):
            wheels.append(0)
        sizes.append(len(legal[path]))
        return legal[path][wheels[len(sizes) - 1]]

    while True:
        sizes.clear()
        yield draw(node, choose)
        while wheels and wheels[-1] + 1 == sizes[len(wheels) - 1]:
            wheels.pop()
        if not wheels:
            return
        wheels[-1] += 1


def accepts(leaf: Leaf, value: Any) -> bool:
    try:
        flatten(leaf, value)
    except SpaceError:
        return False
    return True


@st.composite
def architectures(draw: st.DrawFn) -> Architecture:
    flow = Flow(tuple(task.input_shape[:2] for task in TASKS), None)
    layers, _ = draw(sequences(flow, most=4, depth=0, steady=False))
    return Architecture(layers, draw(HEADS))


@st.composite
def sequences(draw: st.DrawFn, flow: Flow, *, most: int, depth: int, steady: bool) -> tuple[tuple[Layer, ...], Flow]:
    """One to ``most`` layers and what leaves them; ``steady`` layers keep the size of the images."""
    layers: list[Layer] = []
    kinds = [convolutions, convolutions, pools, dropouts] + ([inceptions, residuals] if depth < 2 else [])
    for _ in range(draw(st.integers(1, most))):
        layer, flow = draw(draw(st.sampled_from(kinds))(flow, depth=depth, steady=steady))
        layers.append(layer)
    return tuple(layers), flow


@st.composite
def convolutions(draw: st.DrawFn, flow: Flow, *, depth: int, steady: bool) -> tuple[Layer, Flow]:
    kind = draw(st.sampled_from([Conv, SeparableConv, DepthwiseConv]))
    if kind is DepthwiseConv:
        size = draw(st.integers(1, 3))
        channels = flow.channels and flow.channels * size
        shareable = size == 1
    else:
        size = channels = draw(
            st.integers(1, 8) if flow.channels is None else st.just(flow.channels) | st.integers(1, 8)
        )
        shareable = size == flow.channels
    repeat = draw(st.integers(1, 3)) if shareable else 1
    kernel = draw(st.tuples(st.integers(1, 11), st.integers(1, 11)))
    stride = 1 if steady else draw(st.integers(1, 4))
    sides, padding = draw(slides(flow.sides, kernel, stride, repeat, steady=steady))
    layer = kind(
        size,
        kernel=kernel,
        stride=stride,
        padding=padding,
        activation=draw(st.sampled_from(ACTIVATIONS)),
        norm=draw(st.sampled_from(NORMS)),
        bias=draw(st.booleans()),
        repeat=repeat,
    )
    return layer, Flow(sides, channels)


@st.composite
def pools(draw: st.DrawFn, flow: Flow, *, depth: int, steady: bool) -> tuple[Layer, Flow]:
    size = draw(st.integers(1, 11))
    stride = 1 if steady else draw(st.integers(0, 11))
    sides, padding = draw(slides(flow.sides, (size, size), stride or size, 1, steady=steady))
    return Pool(draw(st.sampled_from(["max", "average"])), size, stride, padding), Flow(sides, flow.channels)


@st.composite
def dropouts(draw: st.DrawFn, flow: Flow, *, depth: int, steady: bool) -> tuple[Layer, Flow]:
    return draw(DROPOUTS), flow


@st.composite
def inceptions(draw: st.DrawFn, flow: Flow, *, depth: int, steady: bool) -> tuple[Layer, Flow]:
    """Branches that keep the size of the images, then perhaps shrink it, all alike."""
    inner = sequences(flow, most=2, depth=depth + 1, steady=True)
    branches, ends = zip(*draw(st.lists(inner, min_size=1, max_size=4)), strict=True)
    sides = flow.sides
    if not steady and draw(st.booleans()):
        branches = tuple((*branch, Pool("max", 3, 2, "same")) for branch in branches)
        sides = slid(sides, (3, 3), 2, "same") or sides
    known = [end.channels for end in ends if end.channels is not None]
    return Inception(branches), Flow(sides, sum(known) if len(known) == len(ends) else None)


@st.composite
def residuals(draw: st.DrawFn, flow: Flow, *, depth: int, steady: bool) -> tuple[Layer, Flow]:
    """A body of any kind that a last convolution brings back to the channels it began with."""
    if flow.channels is None:
        layer = DepthwiseConv(kernel=draw(st.integers(1, 11)), norm=draw(st.sampled_from(NORMS)))
        return Residual((layer, draw(DROPOUTS))), flow
    body, end = draw(sequences(flow, most=2, depth=depth + 1, steady=True))
    if end.channels != flow.channels:
        body = (*body, draw(st.sampled_from([Conv, SeparableConv]))(flow.channels, norm=draw(st.sampled_from(NORMS))))
    return Residual(body), flow


@st.composite
def slides(
    draw: st.DrawFn, sides: Sides, kernel: tuple[int, int], stride: int, repeat: int, *, steady: bool
) -> tuple[Sides, str]:
    """A padding with which a window fits the images ``repeat`` times in a row, and the sizes that it leaves."""
    padding = "same" if steady else draw(st.sampled_from(PADDINGS))
    after: Sides | None = sides
    for _ in range(repeat):
        after = after and slid(after, kernel, stride, padding)
    if after is not None:
        return after, padding
    for _ in range(repeat):
        sides = slid(sides, kernel, stride, "same") or sides
    return sides, "same"


def slid(sides: Sides, kernel: tuple[int, int], stride: int, padding: str) -> Sides | None:
    if padding == "same":
        return tuple((-(-height // stride), -(-width // stride)) for height, width in sides)
    if any(kernel[0] > height or kernel[1] > width for height, width in sides):
        return None
    return tuple(((height - kernel[0]) // stride + 1, (width - kernel[1]) // stride + 1) for height, width in sides)
