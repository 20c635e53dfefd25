"""Series: recordings of steps x channels, which are images of width 1."""

from __future__ import annotations

import numpy as np
import pytest

from tinysearch.baselines.models import architectures
from tinysearch.errors import ArchitectureError, SpaceError
from tinysearch.space.architecture import Architecture, Conv, DepthwiseConv, Head, Pool, SeparableConv
from tinysearch.space.canonical import canonical
from tinysearch.space.cost import cost
from tinysearch.space.keras_builder import build
from tinysearch.space.notation import notation
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task

SERIES = Task((121, 1, 6), 8)


def test_two_equal_sides_are_one_number_and_have_the_key_that_they_had() -> None:
    assert Pool("max", (2, 2), (2, 2)) == Pool()
    assert Pool("max", [3, 1], [3, 1]).to_dict() == {"kind": "pool", "size": [3, 1]}  # type: ignore[arg-type]
    assert Conv(4, stride=(2, 2)) == Conv(4, stride=2)
    one, other = (Architecture((layer, Pool())) for layer in (Conv(4, stride=2), Conv(4, stride=(2, 2))))
    assert one.key == other.key


def test_two_sides_survive_json_and_are_written_in_short() -> None:
    tall = Architecture((Conv(8, kernel=(5, 1), stride=(2, 1)), Pool("average", (4, 1)), Pool("max", (3, 1), (2, 1))))
    assert Architecture.from_dict(tall.to_dict()) == tall
    assert notation(tall) == "c8k5x1/2x1 A4x1 M3x1/2x1"
    assert canonical(tall) == tall
    assert Pool("max", (3, 1), 2).strides == (2, 2)
    assert (Pool("max", (3, 1)).window, Pool("max", (3, 1)).strides) == ((3, 1), (3, 1))


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: Pool("max", (0, 1)), "size must be an integer from 1 to 11"),
        (lambda: Pool("max", (2, 1, 1)), "a vertical and a horizontal one"),
        (lambda: Pool("max", 2, (0, 1)), "at least 1"),
        (lambda: Conv(4, stride=(5, 1)), "stride must be an integer from 1 to 4"),
        (lambda: SeparableConv(4, stride=(2, 1)), "one stride for both directions"),
        (lambda: DepthwiseConv(stride=(2, 1)), "one stride for both directions"),
    ],
)
def test_sides_out_of_range_are_refused(make: object, named: str) -> None:
    with pytest.raises(ArchitectureError) as caught:
        make()  # type: ignore[operator]
    assert named in str(caught.value)


@pytest.mark.parametrize(
    "layers",
    [
        (Conv(4, kernel=(5, 1), stride=(2, 1)), Pool("max", (3, 1), (2, 1))),
        (Conv(4, kernel=(1, 3), stride=(1, 3), padding="valid"), Pool("average", (2, 5), padding="same")),
        (Conv(4), Pool("max", (4, 1), 2), SeparableConv(4, kernel=(3, 1), stride=2)),
    ],
)
@pytest.mark.parametrize("task", [Task(), Task((30, 17, 2), 3)])
def test_keras_builds_two_sides_as_the_arithmetic_counts_them(layers: tuple[object, ...], task: Task) -> None:
    network = Architecture(layers, Head("flatten"))  # type: ignore[arg-type]
    model = build(network, task)
    assert model.count_params() == cost(network, task).params
    shapes = [layer.output_shape for layer in cost(network, task).layers]
    assert tuple(model.get_layer("flatten").input.shape[1:]) == shapes[-3]


@pytest.mark.parametrize("seed", range(12))
def test_members_of_the_space_of_series_are_built_and_go_along_time(seed: int) -> None:
    space = SearchSpace(SERIES)
    member = space.sample_between(300, 5_000, np.random.default_rng(seed))
    assert member is not None
    assert build(member, SERIES).count_params() == cost(member, SERIES).params
    assert space.decode(space.encode(member)) == member
    assert space.mutate(member, np.random.default_rng(seed)) in space
    for layer in cost(member, SERIES).layers:
        assert len(layer.output_shape) < 3 or layer.output_shape[1] == 1


@pytest.mark.parametrize("steps", [2, 8, 30, 16_000])
def test_short_and_long_series_have_networks_too(steps: int) -> None:
    space = SearchSpace(Task((steps, 1, 1), 2))
    assert space.smallest().params < 100
    for seed in range(5):
        assert space.cost(space.sample(np.random.default_rng(seed))) is not None


def test_pictures_and_series_have_spaces_of_their_own() -> None:
    assert SearchSpace(Task()).rows() == SearchSpace().rows()
    tall, square = (dict(SearchSpace(task).rows()) for task in (SERIES, Task()))
    assert tall["blocks/*/conv/kernel"] == "3x1, 5x1, 7x1, 9x1, 11x1, 1x1"
    assert square["blocks/*/conv/kernel"].startswith("3x3")
    assert not any(model in SearchSpace(SERIES) for model in architectures().values())
    assert SearchSpace(SERIES, tree_of({}, 5_000, SERIES)).rows() == SearchSpace(SERIES).rows()


def test_a_space_of_ones_own_may_narrow_that_of_series() -> None:
    space = SearchSpace(SERIES, tree_of({"format": 2, "kernels": ["9x1"], "depth": "1..2"}, task=SERIES))
    for seed in range(5):
        for layer in space.sample(np.random.default_rng(seed)).layers:
            assert getattr(layer, "kernel", (9, 1)) == (9, 1) or layer.kind == "inception"
    with pytest.raises(SpaceError, match="poolings"):
        tree_of({"format": 2, "poolings": ["max 9x9"]})
