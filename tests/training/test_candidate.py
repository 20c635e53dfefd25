from __future__ import annotations

from tinysearch.space.architecture import Architecture, Conv, Dropout, Inception
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe, recipe

BRANCHES = ((Conv(2),), (Conv(3), Dropout(0.1)))


def test_architectures_that_build_the_same_network_have_one_key() -> None:
    one = Architecture((Inception(BRANCHES),))
    other = Architecture((Inception(BRANCHES[::-1]), Dropout(0.0)))
    assert Candidate(one, Recipe()).key == Candidate(other, Recipe()).key


def test_another_recipe_or_another_network_is_another_candidate() -> None:
    network = Architecture((Conv(4),))
    keys = {
        Candidate(network, Recipe()).key,
        Candidate(network, Recipe(epochs=11)).key,
        Candidate(network, recipe("documented")).key,
        Candidate(Architecture((Conv(4, bias=False),)), Recipe()).key,
    }
    assert len(keys) == 4
