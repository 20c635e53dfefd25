from __future__ import annotations

import numpy as np
import pytest
from plain_block import PLAIN

from tinysearch.errors import SpaceError
from tinysearch.space import choices
from tinysearch.space.network_choices import FILTERS, network_choices, prior, tied, uniform


def test_ranges_and_options_are_those_given() -> None:
    tree = network_choices(depth=(2, 3), filters=(5, 6), kinds={"separable": 1}, kernels={"7x7": 1}, hidden={32: 1})
    choose = choices.random_chooser(np.random.default_rng(0))
    for _ in range(50):
        value = choices.draw(tree, choose)
        assert len(value["blocks"]) in (2, 3)
        assert {block["kind"] for block in value["blocks"]} == {"separable"}
        assert {block["kernel"] for block in value["blocks"]} == {"7x7"}
        assert {block["filters"] for block in value["blocks"]} <= {5, 6}
        assert value["head"]["hidden"] == 32


def test_an_unknown_kind_is_refused_by_name() -> None:
    with pytest.raises(SpaceError, match="the kinds are conv, separable, depthwise, inception; got 'dense'"):
        network_choices(kinds={"dense": 1})


def blocks(*changes: dict[str, object]) -> dict[str, object]:
    return {"blocks": [{**PLAIN, **change} for change in changes], "head": {"pooling": "average", "hidden": 0}}


def sizes(value: dict[str, object], channels: int = 1) -> list[object]:
    return [block.get("multiplier", block.get("filters")) for block in tied(value, channels)["blocks"]]


def test_layers_that_are_repeated_or_have_a_shortcut_give_as_many_channels_as_they_take() -> None:
    assert sizes(blocks({"filters": 7}, {"repeat": 3}, {"filters": 5}, {"shortcut": True})) == [7, 7, 5, 5]
    depthwise = {"kind": "depthwise", "multiplier": 2}
    assert sizes(blocks({"filters": 7}, depthwise, {"repeat": 2}, {**depthwise, "repeat": 2})) == [7, 2, 14, 1]
    inception = {
        "kind": "inception",
        "branches": [
            {"steps": [{"kind": "conv", "filters": 3, "kernel": "1x1"}, {"kind": "pool", "window": "max 3x3"}]},
            {"steps": [{"kind": "pool", "window": "max 3x3"}]},
        ],
    }
    assert sizes(blocks({"filters": 7}, inception, {"repeat": 2}))[2] == 10


def test_a_shortcut_keeps_the_image_and_the_first_layer_has_none() -> None:
    first, second = tied(blocks({"shortcut": True, "repeat": 2}, {"shortcut": True}), 1)["blocks"]
    assert (first["shortcut"], first["repeat"], first["padding"], first["stride"]) == (False, 1, "valid", 2)
    assert (second["shortcut"], second["padding"], second["stride"]) == (True, "same", 1)


def test_stages_after_the_first_pooling_are_made_of_equal_layers_that_keep_their_own_pooling_and_dropout() -> None:
    def block(filters: int, pool: str = "none", **other: object) -> dict[str, object]:
        return {**PLAIN, "filters": filters, "pool": pool, **other}

    drawn = [block(3), block(4, "max 2x2"), block(5), block(6, dropout=0.1), block(7, "max 2x2"), block(8)]
    made = [block(3), block(4, "max 2x2"), block(5), block(5, dropout=0.1), block(5, "max 2x2"), block(8)]
    drawn += [{**PLAIN, "kind": "separable", "filters": 9, "kernel": "1x1", "bias": True}]
    made += [block(8, kernel="1x1")]
    assert uniform({"blocks": drawn, "head": {}}) == {"blocks": made, "head": {}}


def test_what_needs_no_tying_is_left_alone() -> None:
    value = blocks({"filters": 7}, {"filters": 5}, {"filters": 5, "repeat": 2})
    assert tied(value, 1) == value


def test_the_smaller_the_budget_the_more_separable_and_repeated_layers() -> None:
    shares = [
        (kinds["separable"] / sum(kinds.values()), repeats[2] / sum(repeats.values()))
        for kinds, repeats, _ in (prior(params).values() for params in (20_000, 8_000, 2_500, 1_000, 300))
    ]
    assert shares[0] == shares[1] < shares[2] < shares[3] == shares[4]
    assert all(prior(300)[name].keys() == prior(20_000)[name].keys() for name in ("kinds", "repeats"))


def test_the_larger_the_budget_the_wider_the_layers_that_are_drawn() -> None:
    rng = np.random.default_rng(0)
    small, usual, large = (prior(params)["filters"] for params in (1_000, 10_000, 40_000))
    assert small == usual == FILTERS
    assert small.options == large.options
    assert np.mean([usual.draw(rng) for _ in range(500)]) < np.mean([large.draw(rng) for _ in range(500)]) / 1.5


def test_what_is_wider_than_usual_is_legal_but_not_drawn() -> None:
    rng = np.random.default_rng(0)
    assert FILTERS.is_legal(64)
    assert max(FILTERS.draw(rng) for _ in range(2_000)) <= 32
