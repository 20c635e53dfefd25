from __future__ import annotations

import json
import math

import numpy as np
import pytest

from tinysearch.space.budget import Budget
from tinysearch.space.cost import cost
from tinysearch.space.network_choices import network_choices
from tinysearch.space.notation import notation
from tinysearch.space.search_space import SearchSpace
from tinysearch.space.survey import Survey, _drawn, random_members, survey
from tinysearch.space.task import Task


@pytest.fixture(scope="module")
def space() -> SearchSpace:
    return SearchSpace(Task((12, 12, 1), 3), network_choices(depth=(1, 3), filters=(1, 16)))


@pytest.fixture(scope="module")
def surveyed(space: SearchSpace) -> Survey:
    return survey(Budget(500), space=space, draws=200, samples=3, seed=7)


def test_members_within_the_budget_are_counted(space: SearchSpace, surveyed: Survey) -> None:
    rng = np.random.default_rng(7)
    members = [space.sample(rng) for _ in range(200)]
    within = [member for member in members if cost(member, space.task).params < 500]
    assert 0 < surveyed.within < surveyed.draws
    assert surveyed.within == len(within)
    assert [member for member, _ in surveyed.samples] == within[:3]


def test_size_and_smallest_are_those_of_the_space(space: SearchSpace, surveyed: Survey) -> None:
    assert surveyed.size == space.size()
    assert surveyed.smallest == space.smallest().params
    assert surveyed.choices == tuple(space.rows())


def test_the_share_has_the_standard_error_of_a_proportion(surveyed: Survey) -> None:
    share = surveyed.within / 200
    assert surveyed.share == share
    assert surveyed.share_error == pytest.approx(math.sqrt(share * (1 - share) / 200))


def test_equal_seeds_give_equal_surveys(space: SearchSpace, surveyed: Survey) -> None:
    _drawn.cache_clear()
    assert survey(Budget(500), space=space, draws=200, samples=3, seed=7) == surveyed
    assert survey(Budget(500), space=space, draws=200, samples=3, seed=8) != surveyed


def test_members_are_drawn_once_for_spaces_of_the_same_choices_and_no_others() -> None:
    def space(size: int = 12, most: int = 16) -> SearchSpace:
        return SearchSpace(Task((size, size, 1), 3), network_choices(depth=(1, 2), filters=(1, most)))

    members = random_members(space(), 20)
    assert random_members(space(), 20) is members
    for other in (space(size=11), space(most=15)):
        found = random_members(other, 20)
        assert found != members
        assert all(one in other and cost == other.cost(one) for one, cost in found)
    assert random_members(space(), 30)[:20] == members


def test_a_budget_that_nothing_meets_leaves_no_samples(space: SearchSpace) -> None:
    nothing = survey(Budget(1), space=space, draws=20)
    assert (nothing.within, nothing.share, nothing.share_error, nothing.samples) == (0, 0, 0, ())


def test_a_survey_is_plain_json(surveyed: Survey) -> None:
    data = json.loads(json.dumps(surveyed.to_dict()))
    assert data["budget"] == 500
    assert int(data["size"]) == surveyed.size
    assert data["share_within_budget"] == surveyed.share
    member, counted = surveyed.samples[0]
    assert data["samples"][0]["params"] == counted.params
    assert data["samples"][0]["layers"] == notation(member)
