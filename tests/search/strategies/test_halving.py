"""Rungs and promotions of successive halving."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from tinysearch.results.record import Measurement, Record
from tinysearch.search.strategies.halving import Halving
from tinysearch.search.strategies.strategy import Problem
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

Make = Callable[..., Problem]
Rung = Callable[..., list[Record]]


@pytest.fixture
def rung(as_record: Callable[..., Record], history: Callable[[int], list[Record]]) -> Rung:
    """Return a function that makes records of some epochs, one for each score, of ever the same architectures."""

    def make(epochs: int, scores: list[float], first: int = 0) -> list[Record]:
        space = SearchSpace()
        networks = [space.scaled_below(one.architecture, 9_999) for one in history(20)[first : first + len(scores)]]
        pairs = zip(networks, scores, strict=True)
        return [as_record(network, score, 0, Recipe(epochs=epochs)) for network, score in pairs]

    return make


def asked(halving: Halving, past: list[Record], pending: list[Candidate] | None = None) -> Candidate:
    return halving.propose(past, np.random.default_rng(0), pending or [])


@pytest.mark.parametrize(
    ("epochs", "rungs"),
    [(1, (1,)), (2, (2,)), (3, (1, 3)), (4, (2, 4)), (9, (1, 3, 9)), (10, (2, 4, 10)), (27, (1, 3, 9, 27))],
)
def test_rungs_are_the_epochs_divided_by_eta_and_rounded_up(epochs: int, rungs: tuple[int, ...], problem: Make) -> None:
    assert Halving(problem(epochs=epochs)).rungs == rungs


def test_another_eta_makes_other_rungs(problem: Make) -> None:
    assert Halving(problem(epochs=8), eta=2).rungs == (1, 2, 4, 8)


def test_new_candidates_begin_at_the_lowest_rung_within_the_budget(problem: Make) -> None:
    halving = Halving(problem())
    candidate = asked(halving, [])
    assert candidate.recipe == Recipe(epochs=2)
    assert halving.problem.fits(candidate.architecture)


def test_the_best_of_three_is_promoted(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.5, 0.7, 0.6])
    assert asked(Halving(problem()), past[:2]).recipe.epochs == 2
    assert asked(Halving(problem()), past) == Candidate(past[1].architecture, Recipe(epochs=4))


def test_the_best_are_promoted_best_first_and_once(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.1, 0.9, 0.2, 0.8, 0.3, 0.4])
    first = asked(Halving(problem()), past)
    past += rung(4, [0.95], first=1)
    second = asked(Halving(problem()), past)
    past += rung(4, [0.85], first=3)
    assert [first.architecture, second.architecture] == [past[1].architecture, past[3].architecture]
    assert asked(Halving(problem()), past).recipe.epochs == 2


def test_a_promotion_that_is_pending_is_not_made_again(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.1, 0.9, 0.2])
    promoted = asked(Halving(problem()), past)
    assert asked(Halving(problem()), past, [promoted]).recipe.epochs == 2


def test_what_is_pending_does_not_make_a_rung_longer(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.1, 0.9, 0.2])
    pending = [Candidate(past[2].architecture, Recipe(epochs=2))]
    assert asked(Halving(problem()), past[:2], pending).recipe.epochs == 2


def test_higher_rungs_come_first(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.1, 0.9, 0.2]) + rung(4, [0.3, 0.5, 0.4], first=5)
    assert asked(Halving(problem()), past) == Candidate(past[4].architecture, Recipe(epochs=10))


def test_nothing_goes_higher_than_the_recipe(problem: Make, rung: Rung) -> None:
    past = rung(10, [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert asked(Halving(problem()), past).recipe.epochs == 2


def test_failures_count_in_a_rung_and_are_never_promoted(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.5, 0.7, 0.6])
    failed = [replace(record, measurement=Measurement(failure="out of memory")) for record in past]
    assert asked(Halving(problem()), [past[0], *failed[1:]]).architecture == past[0].architecture
    assert asked(Halving(problem()), failed).recipe.epochs == 2
    no_number = [*rung(2, [float("nan")]), *past[1:]]
    assert asked(Halving(problem()), no_number).architecture == past[1].architecture


def test_documented_models_stand_on_no_rung(problem: Make, rung: Rung) -> None:
    past = [replace(record, origin="baseline") for record in rung(2, [0.5, 0.7, 0.6])]
    assert asked(Halving(problem()), past).recipe.epochs == 2


def test_one_epoch_is_random_search(problem: Make, rung: Rung) -> None:
    past = rung(1, [0.1, 0.9, 0.2])
    candidate = asked(Halving(problem(epochs=1)), past)
    assert candidate.recipe.epochs == 1
    assert candidate.architecture not in [record.architecture for record in past]


def test_half_of_the_new_are_mutants_of_the_best_of_the_highest_rung(problem: Make, rung: Rung) -> None:
    halving = Halving(problem())
    past = rung(2, [0.1] * 3) + rung(4, [0.5] * 3) + rung(10, [0.6, 0.9, 0.7])
    new = [halving.propose(past, np.random.default_rng(seed)) for seed in range(40)]
    parent = halving.problem.space.encode(past[-2].architecture)
    near = 0
    for candidate in new:
        assert candidate.recipe.epochs == 2
        values = halving.problem.space.encode(candidate.architecture)
        near += sum(values.get(name) == value for name, value in parent.items()) >= 0.7 * len(parent)
    assert 10 <= near <= 30


def test_without_a_share_all_new_candidates_are_random(problem: Make, rung: Rung) -> None:
    past = rung(2, [0.1] * 3) + rung(4, [0.5] * 3) + rung(10, [0.6, 0.9, 0.7])
    plain = Halving(problem(), share=0.0)
    assert plain.propose(past, np.random.default_rng(0)) == plain.propose([], np.random.default_rng(0))


def test_a_search_trains_about_a_third_of_a_rung_on_the_next(
    problem: Make, proposals: Callable[..., list[Candidate]]
) -> None:
    # A few more than a third: what is promoted stays so when better ones come after it.
    epochs = [candidate.recipe.epochs for candidate in proposals(Halving(problem()), 60)]
    assert epochs.count(2) // 3 <= epochs.count(4) <= epochs.count(2) // 2
    assert epochs.count(4) // 3 <= epochs.count(10) <= epochs.count(4) // 2
