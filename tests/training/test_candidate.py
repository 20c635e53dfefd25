from __future__ import annotations

import numpy as np

from tinysearch.results.archive import REFERENCE, read
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


def test_equal_candidates_have_equal_keys_whatever_their_numbers_were_made_of() -> None:
    plain = Candidate(Architecture((Conv(4), Dropout(0.0))), Recipe())
    other = Candidate(
        Architecture((Conv(np.int64(4), kernel=[3, np.int64(3)]), Dropout(-0.0))), Recipe(rotation_degrees=7)
    )
    assert (other, other.key) == (plain, plain.key)


def test_the_keys_of_the_reference_results_stay_what_they_are() -> None:
    with read(REFERENCE) as store:
        records = store.records()
    assert len({record.key for record in records}) > 100
    for record in records:
        assert Candidate(record.architecture, Recipe.from_dict(record.recipe)).key == record.key
