from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import keras_tuner
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.baselines.models import BASELINES
from tinysearch.errors import SpaceError
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Pool,
    Residual,
    SeparableConv,
    digest,
)
from tinysearch.space.choices import Node
from tinysearch.space.cost import cost
from tinysearch.space.leaves import Integers, Numbers, Size
from tinysearch.space.network_choices import network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import tree_of
from tinysearch.space.task import Task
from tinysearch.space.translation import to_architecture

seeds = st.integers(0, 2**32 - 1)
fast = settings(deadline=None, derandomize=True)
TINY = network_choices(
    depth=(1, 2),
    filters=(1, 3),
    kinds={"conv": 1, "separable": 1},
    kernels={"3x3": 1, "5x5": 1},
    strides={1: 1},
    paddings={"valid": 1},
    activations={"relu": 1},
    norms={"none": 1, "before": 1},
    biases={False: 1, True: 1},
    repeats={1: 1},
    shortcuts={False: 1, True: 1},
    poolings={"none": 1},
    dropouts={0.0: 1},
    head_poolings={"average": 1},
    hidden={0: 1},
)


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace()


@pytest.fixture(scope="module")
def tiny() -> SearchSpace:
    return SearchSpace(Task((6, 6, 1), 2), TINY)


@pytest.fixture(scope="module")
def declared() -> tuple[SearchSpace, keras_tuner.HyperParameters]:
    """A space with everything but the default's length, and its choices as KerasTuner holds them."""
    space = SearchSpace(tree=network_choices(depth=(1, 3), branches=(1, 4), branch_steps=(1, 3)))
    return space, space.hyperparameters()


@given(seed=seeds)
@fast
def test_samples_are_members_that_can_be_built_and_equal_for_equal_seeds(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    assert architecture in space
    assert space.cost(architecture) is not None
    assert space.sample(np.random.default_rng(seed)) == architecture


NARROW = {
    "depth": [2, 4],
    "filters": [4, 12, 5],
    "kinds": ["conv", "separable"],
    "kernels": ["3x3"],
    "hidden": [0, 8],
    "dropouts": [0],
}


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: SearchSpace(), "ac9fc7d18723"),
        (lambda: SearchSpace(Task((5, 5, 3), 4)), "1dabd3c3aa42"),
        (lambda: SearchSpace(tree=tree_of({}, 1_000)), "bbf90cdfaf3d"),
        (lambda: SearchSpace(tree=tree_of(NARROW)), "ef95401101c7"),
        (
            lambda: SearchSpace(tree=network_choices(depth=(1, 3), kinds={"inception": 1, "depthwise": 1})),
            "200153cc702f",
        ),
    ],
    ids=["the whole space", "small images", "a small budget", "a file of format 1", "inception"],
)
def test_a_seed_draws_and_mutates_the_same_architectures_in_every_release(
    make: Callable[[], SearchSpace], expected: str
) -> None:
    space = make()
    rng = np.random.default_rng(7)
    made = [space.sample(rng) for _ in range(100)]
    mutant = made[0]
    for _ in range(100):
        mutant = space.mutate(mutant, rng)
        made.append(mutant)
    for low, high in ((100, 1_000), (2_000, 5_000)):
        made += [found for _ in range(10) if (found := space.sample_between(low, high, rng)) is not None]
    made += [space.scaled_below(member, 3_000) for member in made[:50]]
    assert digest([member.to_dict() for member in made]) == expected


def test_widths_in_steps_stay_multiples_wherever_they_are_changed() -> None:
    spec = {
        "format": 2,
        "depth": [2, 5, 7],
        "filters": {"from": 8, "to": 32, "likely": 16, "step": 8},
        "branch_filters": [4, 8],
        "repeats": [1, 2],
        "shortcuts": [[False, 1], [True, 1]],
    }
    space = SearchSpace(tree=tree_of(spec))
    rng = np.random.default_rng(0)
    architecture = space.sample(rng)
    seen = [architecture]
    for _ in range(150):
        architecture = space.mutate(architecture, rng)
        seen += [architecture, space.scaled_below(architecture, 4_000)]
        drawn = space.sample_between(1_000, 10_000, rng)
        if drawn is not None:
            seen.append(drawn)
    assert all(member in space and space.cost(member) is not None for member in seen)
    encoded = [space.encode(member) for member in seen]
    widths = {
        value for one in encoded for path, value in one.items() if path.endswith("filters") and "steps" not in path
    }
    assert widths == {8, 16, 24, 32}
    assert {
        value for one in encoded for path, value in one.items() if "steps" in path and path.endswith("filters")
    } == {4, 8}
    assert {one["blocks/length"] for one in encoded} == {2, 5, 7}
    assert any(one.get(f"blocks/{index}/conv/shortcut") for one in encoded for index in range(1, 7))
    assert any(one.get(f"blocks/{index}/conv/repeat") == 2 for one in encoded for index in range(1, 7))


def test_networks_of_the_options_that_are_too_large_lose_as_many_blocks_as_is_legal() -> None:
    spec = {"format": 2, "depth": [1, 4], "filters": [16, 32], "kinds": ["conv"], "kernels": ["3x3"], "hidden": [0]}
    space = SearchSpace(tree=tree_of({**spec, "head_poolings": ["average"], "repeats": [1], "poolings": ["none"]}))
    found = [space.sample_between(0, 2_000, np.random.default_rng(seed)) for seed in range(10)]
    assert all(one is not None and one in space for one in found)
    assert {one.layers[0].filters for one in found} <= {16, 32}


@given(seed=seeds)
@fast
def test_samples_survive_encoding(space: SearchSpace, seed: int) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    assert space.decode(space.encode(architecture)) == architecture


def test_shared_weights_and_shortcuts_are_drawn_as_often_as_the_prior_says(space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    layers = [layer for _ in range(600) for layer in space.sample(rng).layers[1:]]
    convolutions = [layer for layer in layers if isinstance(layer, (Conv, SeparableConv, DepthwiseConv, Residual))]
    shortcuts = [layer for layer in convolutions if isinstance(layer, Residual)]
    repeated = [layer for layer in convolutions if not isinstance(layer, Residual) and layer.repeat > 1]
    assert 0.01 < len(shortcuts) / len(convolutions) < 0.06
    assert 0.01 < len(repeated) / len(convolutions) < 0.06


def test_a_space_that_ties_cannot_hold_is_drawn_from_all_the_same() -> None:
    tree = network_choices(depth=(1, 2), filters=(2, 3), kinds={"conv": 1}, shortcuts={True: 1})
    drawn = SearchSpace(Task((8, 8, 2), 3), tree).sample(np.random.default_rng(0))
    assert isinstance(drawn.layers[0], Residual)


@pytest.mark.parametrize("options", [{"repeats": {2: 1}}, {"shortcuts": {True: 1}}], ids=["repeats", "shortcuts"])
def test_where_every_layer_keeps_the_channels_networks_are_drawn_at_once(options: dict[str, Any]) -> None:
    space = SearchSpace(Task(), network_choices(kinds={"conv": 1}, **options))
    rng = np.random.default_rng(0)
    with mock.patch.object(space, "_built", wraps=space._built) as built:
        drawn = [space.sample(rng) for _ in range(20)]
    assert all(one in space and space.params(one) for one in drawn)
    assert built.call_count < 400


def test_samples_differ(space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    assert len({space.sample(rng) for _ in range(200)}) > 195


@pytest.mark.parametrize("name", BASELINES)
def test_the_documented_models_are_members(space: SearchSpace, name: str) -> None:
    architecture = BASELINES[name].architecture
    assert architecture in space
    assert space.decode(space.encode(architecture)) == architecture


@pytest.mark.parametrize(
    "stranger",
    [
        None,
        "conv",
        Architecture((Pool(),)),
        Architecture((Conv(65),)),
        Architecture((Conv(4, kernel=11),)),
        Architecture((Conv(4, stride=4),)),
        Architecture((Conv(4), Dropout(0.3))),
        Architecture((Conv(4),) * 10),
        Architecture((Conv(4),), Head(hidden=7)),
    ],
)
def test_what_is_not_of_the_space_is_no_member(space: SearchSpace, stranger: object) -> None:
    assert stranger not in space
    if isinstance(stranger, Architecture):
        with pytest.raises(SpaceError):
            space.encode(stranger)


@pytest.mark.parametrize(("low", "high"), [(1, 100), (500, 1_000), (9_000, 10_000), (20_000, 40_000)])
def test_samples_between_land_there(space: SearchSpace, low: int, high: int) -> None:
    for seed in range(20):
        architecture = space.sample_between(low, high, np.random.default_rng(seed))
        assert architecture is not None
        assert architecture in space
        assert low <= cost(architecture, space.task).params < high
        assert space.sample_between(low, high, np.random.default_rng(seed)) == architecture


def test_there_is_no_sample_between_what_the_space_cannot_hold(tiny: SearchSpace) -> None:
    assert tiny.sample_between(0, tiny.smallest().params, np.random.default_rng(0)) is None
    assert tiny.sample_between(10**6, 10**7, np.random.default_rng(0)) is None


@given(seed=seeds)
@fast
def test_scaling_keeps_all_but_the_widths_and_never_ends_above_what_it_can_go_below(
    space: SearchSpace, seed: int
) -> None:
    architecture = space.sample(np.random.default_rng(seed))
    before, narrow = cost(architecture, space.task), cost(space.scaled_below(architecture, 1), space.task)
    for params in (200, 2_000, 20_000):
        scaled = space.scaled_below(architecture, params)
        assert scaled in space
        counted = cost(scaled, space.task)
        if min(before.params, narrow.params) < params:
            assert counted.params < params
        assert [row.kind for row in counted.layers] == [row.kind for row in before.layers]


@pytest.mark.parametrize("params", [2_000, 5_000, 10_000])
def test_a_wide_architecture_is_scaled_to_just_below(space: SearchSpace, params: int) -> None:
    wide = Architecture((Conv(30), Conv(32), Conv(31), Conv(32)), Head("average"))
    assert 0.85 * params < cost(space.scaled_below(wide, params), space.task).params < params


def test_a_narrow_architecture_is_scaled_up(space: SearchSpace) -> None:
    narrow = Architecture((Conv(4), Conv(4), Conv(4)), Head("average"))
    assert 0.85 * 10_000 < cost(space.scaled_below(narrow, 10_000), space.task).params < 10_000


def test_what_cannot_be_brought_below_is_at_its_narrowest(space: SearchSpace) -> None:
    architecture = Architecture((Conv(8), Conv(8)), Head("average"))
    assert space.scaled_below(architecture, 1) == Architecture((Conv(1), Conv(1)), Head("average"))


def test_a_chain_of_mutations_stays_in_the_space_and_changes_something_each_time(space: SearchSpace) -> None:
    rng = np.random.default_rng(0)
    architecture = space.sample(rng)
    seen = {architecture}
    for _ in range(500):
        mutant = space.mutate(architecture, rng)
        assert mutant != architecture
        assert mutant in space
        assert space.cost(mutant) is not None
        architecture = mutant
        seen.add(mutant)
    assert len(seen) > 400


def test_mutation_is_equal_for_equal_seeds(space: SearchSpace) -> None:
    parent = BASELINES["inception"].architecture
    mutants = [space.mutate(parent, np.random.default_rng(seed)) for seed in range(20)]
    assert mutants == [space.mutate(parent, np.random.default_rng(seed)) for seed in range(20)]
    assert len(set(mutants)) > 10


def test_only_members_are_mutated(space: SearchSpace) -> None:
    with pytest.raises(SpaceError, match="filters must be 1 to 64, got 65"):
        space.mutate(Architecture((Conv(65),)), np.random.default_rng(0))


def test_size_is_what_enumeration_counts(tiny: SearchSpace, every_value: Callable[[Node], Iterator[Any]]) -> None:
    assert tiny.size() == len({to_architecture(value) for value in every_value(TINY)})


def test_members_are_all_that_can_be_built(tiny: SearchSpace, every_value: Callable[[Node], Iterator[Any]]) -> None:
    everything = {to_architecture(value) for value in every_value(TINY)}
    assert set(tiny.members()) == {member for member in everything if tiny.cost(member)} < everything


def test_smallest_is_what_enumeration_finds(tiny: SearchSpace, every_value: Callable[[Node], Iterator[Any]]) -> None:
    costs = [tiny.cost(to_architecture(value)) for value in every_value(TINY)]
    assert None in costs
    assert tiny.smallest().params == min(counted.params for counted in costs if counted)


def test_the_smallest_default_member_is_one_pixel_filter_and_ten_classes(space: SearchSpace) -> None:
    assert space.smallest().params == 1 + (10 + 10)


def test_a_space_that_fits_nothing_says_so() -> None:
    space = SearchSpace(Task((4, 4, 1)), network_choices(kinds={"conv": 1}, kernels={"7x7": 1}, paddings={"valid": 1}))
    for ask in (lambda: space.sample(np.random.default_rng(0)), space.smallest):
        with pytest.raises(SpaceError, match="no architecture of the search space fits an input of 4x4x1"):
            ask()


def test_a_member_with_no_neighbour_cannot_be_mutated() -> None:
    only = network_choices(
        depth=(1, 1),
        filters=(2, 2),
        kinds={"conv": 1},
        **{name: {value: 1} for name, value in SINGLE.items()},
    )
    space = SearchSpace(tree=only)
    assert space.size() == 1
    with pytest.raises(SpaceError, match="no mutant of the given architecture"):
        space.mutate(space.sample(np.random.default_rng(0)), np.random.default_rng(0))


SINGLE = {
    "kernels": "3x3",
    "strides": 1,
    "paddings": "same",
    "activations": "relu",
    "norms": "none",
    "biases": True,
    "repeats": 1,
    "shortcuts": False,
    "poolings": "none",
    "dropouts": 0.0,
    "head_poolings": "average",
    "hidden": 0,
}


def test_decoding_refuses_what_is_missing_or_not_legal(space: SearchSpace) -> None:
    values = space.encode(BASELINES["conv"].architecture)
    with pytest.raises(SpaceError, match="blocks/0/conv/filters must be 1 to 64, got 65"):
        space.decode({**values, "blocks/0/conv/filters": 65})
    del values["head/hidden"]
    with pytest.raises(SpaceError, match="have no entry 'head/hidden'"):
        space.decode(values)


def test_rows_have_a_line_for_each_choice(space: SearchSpace) -> None:
    rows = dict(space.rows())
    assert rows["blocks/length"] == "1 to 9"
    assert rows["blocks/*/conv/bias"] == "no, yes"
    assert rows["blocks/*/inception/branches/*/steps/*/conv/filters"] == "1 to 8"


def test_keras_tuner_is_told_of_every_encoded_name(declared: tuple[SearchSpace, keras_tuner.HyperParameters]) -> None:
    space, hyperparameters = declared
    names = {one.name for one in hyperparameters.space}
    rng = np.random.default_rng(0)
    members = [*(model.architecture for model in BASELINES.values()), *(space.sample(rng) for _ in range(300))]
    for member in members:
        assert set(space.encode(member)) <= names


def test_what_a_member_does_not_use_is_inactive_for_keras_tuner(
    declared: tuple[SearchSpace, keras_tuner.HyperParameters],
) -> None:
    space, hyperparameters = declared
    rng = np.random.default_rng(1)
    for member in itertools.chain([BASELINES["inception"].architecture], (space.sample(rng) for _ in range(20))):
        encoded = space.encode(member)
        mine = hyperparameters.copy()
        mine.values = dict(encoded)
        assert {one.name for one in mine.space if mine.is_active(one)} == set(encoded)


def test_the_defaults_of_keras_tuner_decode_to_a_member(
    declared: tuple[SearchSpace, keras_tuner.HyperParameters],
) -> None:
    space, hyperparameters = declared
    assert space.decode(hyperparameters.values) in space


@pytest.mark.parametrize(
    "filters",
    [
        pytest.param(Integers(1, 32, 12), marks=pytest.mark.slow),
        pytest.param(Integers(8, 32, step=8), marks=pytest.mark.slow),
        Numbers({4: 1, 9: 2, 16: 1}),
    ],
)
def test_what_keras_tuner_draws_decodes_to_members(filters: Size, tmp_path: Path) -> None:
    tree = network_choices(depth=Numbers({1: 1, 3: 1}), filters=filters, branches=(1, 2), branch_steps=(1, 1))
    space = SearchSpace(tree=tree)
    tuner = keras_tuner.RandomSearch(
        lambda hyperparameters: None,
        objective="val_accuracy",
        max_trials=30,
        seed=0,
        hyperparameters=space.hyperparameters(),
        tune_new_entries=False,
        allow_new_entries=False,
        directory=tmp_path,
    )
    members = [space.decode(tuner.oracle.create_trial(f"tuner{n}").hyperparameters.values) for n in range(30)]
    assert all(member in space for member in members)
    assert len(set(members)) == 30


@pytest.mark.parametrize("side", [3, 5, 8])
def test_networks_are_found_for_very_small_images_too(side: int) -> None:
    space = SearchSpace(Task((side, side, 1), 10))
    rng = np.random.default_rng(0)
    drawn = [space.sample(rng) for _ in range(30)]
    assert all(architecture in space and space.cost(architecture) is not None for architecture in drawn)
    assert len(set(drawn)) > 10
