from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.errors import SpaceError
from tinysearch.space.architecture import Conv, SeparableConv
from tinysearch.space.leaves import Integers, Numbers
from tinysearch.space.network_choices import HIDDEN, KINDS, STRIDES, network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_spec import SIZES, current, has_old_ranges, tree_of
from tinysearch.space.translation import from_architecture


def test_nothing_said_is_the_whole_space() -> None:
    assert tree_of({}) == tree_of({"format": 2}) == network_choices()
    assert current({}) == current({"format": 2}) == {}


# Lists and ranges


@pytest.mark.parametrize("name", SIZES)
def test_a_list_of_sizes_is_options(name: str) -> None:
    options = tree_of({"format": 2, name: [8, 2, 4]})
    assert options == network_choices(**{name: Numbers({2: 1.0, 4: 1.0, 8: 1.0})})


@pytest.mark.parametrize("name", SIZES)
@pytest.mark.parametrize("numbers", ["2..8", " 2 .. 8 ", {"from": 2, "to": 8}, {"from": 2, "to": 8, "step": 1}])
def test_a_range_of_sizes_has_both_ends(name: str, numbers: Any) -> None:
    assert tree_of({"format": 2, name: numbers}) == network_choices(**{name: (2, 8)})


def test_a_range_may_have_a_step_and_a_number_that_is_likely() -> None:
    tree = tree_of({"format": 2, "filters": {"from": 8, "to": 30, "likely": 16, "step": 4}})
    assert tree == network_choices(filters=Integers(8, 28, 16, step=4))


@pytest.mark.parametrize("numbers", [[8, 32], [8, 32, 16]])
def test_a_list_of_sizes_without_a_format_is_a_range_as_it_was(numbers: list[int]) -> None:
    assert (
        tree_of({"filters": numbers}) == tree_of({"format": 1, "filters": numbers}) == network_choices(filters=numbers)
    )
    assert tree_of({"format": 2, "filters": numbers}) != network_choices(filters=numbers)


@pytest.mark.parametrize("spec", [{"depth": [1, 2]}, {"kinds": ["conv"], "filters": (1, 2)}])
def test_old_ranges_are_found_where_no_format_is_said(spec: dict[str, Any]) -> None:
    assert has_old_ranges(spec)
    assert not has_old_ranges({**spec, "format": 2})


@pytest.mark.parametrize("spec", [{}, {"kinds": ["conv"]}, {"depth": "1..2", "filters": {"from": 1, "to": 2}}])
def test_what_both_formats_read_alike_has_no_old_ranges(spec: dict[str, Any]) -> None:
    assert not has_old_ranges(spec)
    assert tree_of(spec) == tree_of({**spec, "format": 2})


def test_a_range_of_what_has_weights_is_short_for_its_numbers() -> None:
    tree = tree_of({"format": 2, "strides": "1..2", "hidden": {"from": 0, "to": 16, "step": 8}})
    assert tree == network_choices(strides=STRIDES, hidden={0: HIDDEN[0], 8: HIDDEN[8], 16: HIDDEN[16]})


# Weights


def test_options_keep_their_prior_weights_or_have_those_of_the_file() -> None:
    one, other = (tree_of({"kinds": given}) for given in (["conv", "separable"], [["conv", 1], ["separable", 3]]))
    assert one == network_choices(kinds={kind: float(KINDS[kind]) for kind in ("conv", "separable")})
    assert other == network_choices(kinds={"conv": 1.0, "separable": 3.0})


@pytest.mark.parametrize(
    ("pairs", "mapping"),
    [
        ({"kernels": [["3x3", 5], ["5x5", 1]]}, {"kernels": {"3x3": 5, "5x5": 1}}),
        ({"filters": [[8, 3], [16, 1]]}, {"filters": {"8": 3, "16": 1}}),
        ({"hidden": [[0, 3], [16, 1]]}, {"hidden": {0: 3, 16: 1}}),
        ({"biases": [[False, 3], [True, 1]]}, {"biases": {"false": 3, "true": 1}}),
        ({"dropouts": [[0, 3], [0.25, 1]]}, {"dropouts": {"0": 3, "0.25": 1}}),
    ],
)
def test_weights_come_as_pairs_or_as_a_mapping(pairs: dict[str, Any], mapping: dict[str, Any]) -> None:
    assert tree_of({"format": 2, **pairs}) == tree_of({"format": 2, **mapping}) != tree_of({})


# What is drawn


def test_only_what_the_file_allows_is_drawn_and_mutated() -> None:
    spec = {"depth": [2, 4], "filters": [4, 8, 5], "kinds": ["conv", "separable"], "kernels": ["3x3"]}
    space = SearchSpace(tree=tree_of(spec))
    rng = np.random.default_rng(0)
    architecture = space.sample(rng)
    for _ in range(100):
        assert 2 <= len(from_architecture(architecture)["blocks"]) <= 4
        for layer in architecture.layers:
            if isinstance(layer, (Conv, SeparableConv)):
                assert 4 <= layer.filters <= 8
                assert layer.kernel == (3, 3)
        architecture = space.mutate(architecture, rng)


@pytest.mark.parametrize(
    ("filters", "size"), [("1..30", 30), ([8, 16, 24, 32], 4), ({"from": 8, "to": 32, "step": 4}, 7)]
)
def test_a_small_space_can_be_written_down(filters: Any, size: int) -> None:
    spec = {
        "format": 2,
        "depth": [1],
        "filters": filters,
        "kinds": ["conv"],
        "kernels": ["1x1"],
        "strides": [1],
        "paddings": ["same"],
        "activations": ["relu"],
        "norms": ["none"],
        "biases": [False],
        "repeats": [1],
        "shortcuts": [False],
        "poolings": ["none"],
        "dropouts": [0],
        "head_poolings": ["average"],
        "hidden": [0],
    }
    space = SearchSpace(tree=tree_of(spec))
    assert space.size() == len(list(space.members())) == size


# One spelling


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"depth": [1, 6], "kinds": ("conv",)}, {"depth": "1..6", "kinds": ["conv"]}),
        ({"filters": [8, 32, 16]}, {"filters": {"from": 8, "to": 32, "likely": 16}}),
        ({"format": 2, "filters": [16, 8]}, {"filters": [8, 16]}),
        ({"format": 2, "filters": {"from": 8, "to": 30, "step": 4}}, {"filters": {"from": 8, "to": 28, "step": 4}}),
        ({"format": 2, "filters": {"8": 2, "4": 1}}, {"filters": [4, [8, 2.0]]}),
        ({"format": 2, "hidden": "0..2"}, {"hidden": [0, 1, 2]}),
        ({"format": 2, "dropouts": [0, np.float64(0.5)]}, {"dropouts": [0.0, 0.5]}),
        ({"format": 2, "depth": [np.int64(3)], "kinds": [np.str_("conv")]}, {"depth": [3], "kinds": ["conv"]}),
    ],
)
def test_what_says_the_same_is_spelled_alike(spec: dict[str, Any], expected: dict[str, Any]) -> None:
    assert json.loads(json.dumps(current(spec))) == {"format": 2, **expected}


OPTIONS = {"kinds": st.sampled_from(sorted(KINDS)), "strides": st.integers(1, 4), "biases": st.booleans()}
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "format": st.sampled_from([1, 2]),
        "depth": st.tuples(st.integers(1, 3), st.integers(4, 9)).map(lambda ends: f"{ends[0]}..{ends[1]}"),
        "filters": st.tuples(st.integers(1, 4), st.integers(9, 32), st.integers(5, 8)),
        "branches": st.integers(1, 4).map(lambda step: {"from": step, "to": 2 * step, "step": step, "likely": step}),
        **{name: st.lists(option, min_size=1, unique=True) for name, option in OPTIONS.items()},
        "hidden": st.dictionaries(st.integers(0, 9), st.floats(0.5, 9), min_size=1),
    },
)


@given(spec=SPECS)
@settings(deadline=None, derandomize=True)
def test_the_one_spelling_says_the_same_and_is_its_own_after_json(spec: dict[str, Any]) -> None:
    now = current(spec)
    assert current(json.loads(json.dumps(now, sort_keys=True))) == now
    assert tree_of(now, 1_000) == tree_of(spec, 1_000)
    # The order of options is part of what a seed draws.
    assert tree_of(now).fields["head"].fields["hidden"].options == tree_of(spec).fields["head"].fields["hidden"].options


# What is refused


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"widths": [1, 2]}, "'widths'"),
        ({"format": 3}, "format of a space is 1 or 2, got 3"),
        ({"format": "2"}, "got '2'"),
        ({"depth": [5]}, r'depth .*range.*\[5\]; to list options, add "format": 2'),
        ({"filters": [8, 16, 24, 32]}, r'filters .*range.*\[8, 16, 24, 32\]; to list options, add "format": 2'),
        ({"depth": []}, r"depth .*\[\]"),
        ({"depth": [5, 2]}, r"depth .*\[5, 2\]"),
        ({"depth": [0, 2]}, "depth .*from 1 to 16"),
        ({"filters": [1, 2.5]}, "filters"),
        ({"filters": [4, 8, 9]}, "filters"),
        ({"format": 2, "filters": []}, "filters .*at least one"),
        ({"format": 2, "filters": 8}, r"filters .*list of options.*got 8"),
        ({"format": 2, "filters": [8, True]}, "no option True"),
        ({"format": 2, "filters": [8, 8.0]}, "no option 8.0"),
        ({"format": 2, "filters": [8, 8]}, "option 8 twice"),
        ({"format": 2, "depth": [17]}, "no option 17.*whole numbers from 1 to 16"),
        ({"format": 2, "filters": "8-32"}, r'filters .*"8\.\.32".*8-32'),
        ({"format": 2, "filters": "32..8"}, r"must ascend within 1 to 4,096; got '32\.\.8'"),
        ({"format": 2, "depth": "1..17"}, "within 1 to 16"),
        ({"format": 2, "depth": "0..3"}, "within 1 to 16"),
        ({"format": 2, "filters": {"from": 8}}, '"from" and a "to"'),
        ({"format": 2, "filters": {"from": 8, "to": 16, "by": 4}}, '"from" and a "to"'),
        ({"format": 2, "filters": {"from": 8, "to": 16.5}}, '"from" and a "to"'),
        ({"format": 2, "filters": {"from": 8, "to": 16, "step": 0}}, "step of filters must be at least 1, got 0"),
        ({"format": 2, "filters": {"from": 1, "to": 32, "step": 4}}, "1 is not a multiple of 4; begin from 4"),
        (
            {"format": 2, "filters": {"from": 30, "to": 31, "step": 4}},
            "30 is not a multiple of 4; choose a smaller step",
        ),
        ({"format": 2, "filters": {"from": 8, "to": 32, "likely": 15, "step": 4}}, "likely .*got 15"),
        ({"format": 2, "filters": {"from": 8, "to": 32, "likely": 36}}, "likely .*got 36"),
        ({"format": 2, "hidden": {"from": 0, "to": 32, "likely": 16}}, "hidden has no likely number"),
        ({"format": 2, "kinds": "1..2"}, "kinds .*list"),
        ({"kinds": "conv"}, "kinds .*list"),
        ({"kinds": []}, "kinds .*at least one"),
        ({"kinds": ["dense"]}, "kinds .*dense.*separable"),
        ({"kernels": ["3"]}, "kernels .*3x3"),
        ({"kernels": ["99x1"]}, "99x1"),
        ({"strides": [True]}, "strides .*True"),
        ({"biases": [1]}, "biases"),
        ({"dropouts": [1.0]}, "dropouts"),
        ({"kinds": [["conv", 0]]}, "weight .*conv"),
        ({"kinds": {"conv": -1}}, "weight .*conv"),
        ({"kinds": [["conv", float("inf")]]}, "weight .*inf"),
        ({"kinds": [["conv", float("nan")]]}, "weight .*nan"),
        ({"kinds": [["conv", "5"]]}, "weight .*'5'"),
        ({"kinds": ["conv", "conv"]}, "'conv' twice"),
        ({"dropouts": [0, 0.0]}, "twice"),
        ({"kernels": ["03x3"]}, "03x3"),
        ({"branches": [0, 3]}, "branches .*from 1"),
        ({"poolings": ["max"]}, "poolings .*max 2x2"),
    ],
)
def test_what_is_not_legal_is_named(spec: dict[str, Any], words: str) -> None:
    for read in (tree_of, current):
        with pytest.raises(SpaceError, match=words):
            read(spec)
