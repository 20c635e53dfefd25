from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tinysearch.errors import SpaceError
from tinysearch.space.architecture import Conv, SeparableConv
from tinysearch.space.network_choices import KINDS, from_architecture, network_choices
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.space_file import read_spec, tree_of


def test_nothing_said_is_the_whole_space() -> None:
    assert tree_of({}) == network_choices()


def test_only_what_the_file_allows_is_drawn_and_mutated(tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text('{"depth": [2, 4], "filters": [4, 8, 5], "kinds": ["conv", "separable"], "kernels": ["3x3"]}')
    space = SearchSpace(tree=tree_of(read_spec(path)))
    rng = np.random.default_rng(0)
    architecture = space.sample(rng)
    for _ in range(100):
        assert 2 <= len(from_architecture(architecture)["blocks"]) <= 4
        for layer in architecture.layers:
            if isinstance(layer, (Conv, SeparableConv)):
                assert 4 <= layer.filters <= 8
                assert layer.kernel == (3, 3)
        architecture = space.mutate(architecture, rng)


def test_options_keep_their_prior_weights_or_have_those_of_the_file() -> None:
    one, other = (tree_of({"kinds": given}) for given in (["conv", "separable"], [["conv", 1], ["separable", 3]]))
    assert one == network_choices(kinds={kind: float(KINDS[kind]) for kind in ("conv", "separable")})
    assert other == network_choices(kinds={"conv": 1.0, "separable": 3.0})


def test_a_space_of_thirty_members_can_be_written_down() -> None:
    spec = {
        "depth": [1, 1],
        "filters": [1, 30],
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
    assert SearchSpace(tree=tree_of(spec)).size() == 30


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"widths": [1, 2]}, "'widths'"),
        ({"depth": [5]}, r"depth .*\[5\]"),
        ({"depth": [5, 2]}, r"depth .*\[5, 2\]"),
        ({"depth": [0, 2]}, "depth .*from 1 to 16"),
        ({"filters": [1, 2.5]}, "filters"),
        ({"filters": [4, 8, 9]}, "filters"),
        ({"kinds": "conv"}, "kinds .*list"),
        ({"kinds": []}, "kinds .*at least one"),
        ({"kinds": ["dense"]}, "kinds .*dense.*separable"),
        ({"kernels": ["3"]}, "kernels .*3x3"),
        ({"kernels": ["99x1"]}, "99x1"),
        ({"strides": [True]}, "strides .*True"),
        ({"biases": [1]}, "biases"),
        ({"dropouts": [1.0]}, "dropouts"),
        ({"kinds": [["conv", 0]]}, "weight .*conv"),
        ({"kinds": [["conv", float("inf")]]}, "weight .*inf"),
        ({"kinds": ["conv", "conv"]}, "'conv' twice"),
        ({"kernels": ["03x3"]}, "03x3"),
        ({"branches": [0, 3]}, "branches .*from 1"),
        ({"poolings": ["max"]}, "poolings .*max 2x2"),
    ],
)
def test_what_is_not_legal_is_named(spec: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    path.write_text(json.dumps(spec))
    with pytest.raises(SpaceError, match=words):
        read_spec(path)


@pytest.mark.parametrize(("text", "words"), [("[1]", "list"), ("{", "no JSON"), (None, "cannot be read")])
def test_a_file_that_is_none_is_refused(text: str | None, words: str, tmp_path: Path) -> None:
    path = tmp_path / "space.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SpaceError, match=words):
        read_spec(path)


def test_from_python_tuples_will_do() -> None:
    assert tree_of({"depth": (2, 6), "kinds": ("conv",)}) == tree_of({"depth": [2, 6], "kinds": ["conv"]})
