from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.canonical import canonical
from tinysearch.space.cost import cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.task import Task


def canonical_layers(*layers: Layer) -> tuple[Layer, ...]:
    return canonical(Architecture(layers)).layers


@given(data=st.data())
@settings(deadline=None, derandomize=True)
def test_the_canonical_form_is_its_own_and_costs_the_same(
    free_form: st.SearchStrategy[Architecture], tasks: tuple[Task, ...], data: st.DataObject
) -> None:
    architecture = data.draw(free_form)
    form = canonical(architecture)
    assert canonical(form) == form
    for task in tasks:
        before, after = cost(architecture, task), cost(form, task)
        for name in ("params", "non_trainable_params", "macs", "int8_weight_bytes"):
            assert getattr(after, name) == getattr(before, name), name


@pytest.mark.parametrize("seed", range(50))
def test_members_of_the_space_stay_members(seed: int) -> None:
    space = SearchSpace()
    assert canonical(space.sample(np.random.default_rng(seed))) in space


def test_the_order_of_branches_does_not_matter() -> None:
    branches = ((Conv(1), Conv(2)), (Conv(2), Conv(1)), (SeparableConv(2),))
    forms = {canonical_layers(Inception(order)) for order in itertools.permutations(branches)}
    assert len(forms) == 1


A, B = (Conv(2),), (Conv(1, kernel=5),)
FIRST, SECOND = Inception((A, B)), Inception((B, A))
POOL = Pool("max", 3, 1, "same")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # Channels of one sum meet others.
        ((FIRST, Residual((FIRST,))), (FIRST, Residual((SECOND,)))),
        ((FIRST, Residual((FIRST, POOL))), (FIRST, Residual((SECOND, POOL)))),
        ((FIRST, Residual((FIRST, DepthwiseConv()))), (FIRST, Residual((SECOND, DepthwiseConv())))),
        ((FIRST, Residual((FIRST, Conv(3, repeat=2)))), (FIRST, Residual((SECOND, Conv(3, repeat=2))))),
        ((FIRST, Residual((Residual((FIRST,)),))), (SECOND, Residual((Residual((FIRST,)),)))),
        ((FIRST, Residual((FIRST,))), (SECOND, Residual((FIRST,)))),
        ((Residual((Inception((A, (FIRST,))),)),), (Residual((Inception((A, (SECOND,))),)),)),
    ],
)
def test_the_order_of_branches_matters_where_a_sum_pairs_their_channels(
    one: tuple[Layer, ...], other: tuple[Layer, ...]
) -> None:
    assert Architecture(canonical_layers(*one)).key != Architecture(canonical_layers(*other)).key


@pytest.mark.parametrize(
    "after",
    [
        (Residual((Conv(3),)),),
        (Residual((DepthwiseConv(), Conv(3))),),
        (Residual((POOL,)), Conv(3), Residual((FIRST, Conv(3)))),
        (Conv(3), Residual((FIRST,))),
    ],
)
def test_the_order_of_branches_does_not_matter_before_a_sum_that_treats_all_channels_alike(
    after: tuple[Layer, ...],
) -> None:
    assert canonical_layers(FIRST, *after) == canonical_layers(SECOND, *after)
    assert canonical_layers(Residual((FIRST, Conv(3)))) == canonical_layers(Residual((SECOND, Conv(3))))


def test_the_order_of_layers_in_a_branch_does_matter() -> None:
    first = canonical_layers(Inception(((Conv(1), Conv(2)), (Pool("max", 3, 1, "same"),))))
    second = canonical_layers(Inception(((Conv(2), Conv(1)), (Pool("max", 3, 1, "same"),))))
    assert first != second


def test_branches_are_sorted_after_what_is_in_them() -> None:
    plain = Inception(((Conv(1, kernel=1),), (Conv(1),)))
    padded = Inception(((Conv(1), Dropout(0)), (Conv(1, kernel=1, padding="valid"),)))
    assert canonical_layers(plain) == canonical_layers(padded)


@pytest.mark.parametrize(
    ("given_layers", "expected"),
    [
        ((Conv(2), Dropout(0.0)), (Conv(2),)),
        ((Conv(2), Pool("average", 1)), (Conv(2),)),
        ((Pool("average", 1, 2),), (Pool("max", 1, 2, "same"),)),
        ((Conv(2, kernel=1, padding="valid", stride=2),), (Conv(2, kernel=1, stride=2),)),
        ((Conv(2, activation="linear", norm="after"),), (Conv(2, activation="linear", norm="before"),)),
        ((Inception(((Conv(2), Conv(3)),)),), (Conv(2), Conv(3))),
        ((Residual((Conv(1), Dropout(0.0))),), (Residual((Conv(1),)),)),
        ((Inception(((Residual((Inception(((Conv(1),),)),)),),)),), (Residual((Conv(1),)),)),
    ],
)
def test_what_builds_the_same_network_has_one_form(
    given_layers: tuple[Layer, ...], expected: tuple[Layer, ...]
) -> None:
    assert canonical_layers(*given_layers) == expected


@pytest.mark.parametrize(
    "layer",
    [
        Conv(2, padding="valid"),
        Conv(2, kernel=(1, 3), padding="valid"),
        Conv(2, norm="after"),
        Conv(2, activation="linear"),
        Dropout(0.1),
        Pool("average", 2),
        Pool("max", 2, 1),
        Residual((Dropout(0.0),)),
    ],
)
def test_what_makes_a_difference_stays(layer: Layer) -> None:
    assert canonical_layers(layer) == (layer,)


def test_an_architecture_of_nothing_keeps_a_layer() -> None:
    assert canonical_layers(Dropout(0.0)) == (Dropout(0.0),)


def test_different_networks_have_different_keys() -> None:
    rng = np.random.default_rng(0)
    forms = {canonical(SearchSpace().sample(rng)) for _ in range(1_000)}
    assert len({form.key for form in forms}) == len(forms)
    variants = [
        Conv(2, norm=norm, activation=activation, padding=padding, bias=bias)
        for norm, activation, padding, bias in itertools.product(
            ("none", "before", "after"), ("relu", "leaky_relu"), ("same", "valid"), (True, False)
        )
    ]
    assert len({canonical(Architecture((layer,))).key for layer in variants}) == len(variants)
