"""The budget is exclusive, from the command line to the plan of a run: a model at it is not trained."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.api import open_run
from tinysearch.results.store import Store
from tinysearch.search.proposer import Proposal

PARAMS = {"baseline:conv": 8_640, "baseline:separable": 4_967, "baseline:inception": 3_077}


@pytest.fixture
def planned(tiny: Path, tmp_path: Path) -> Callable[[int], set[str]]:
    """Return a function that gives the hand-designed baselines that a run with a budget would train."""

    def plan(budget: int) -> set[str]:
        with Store(tmp_path / f"{budget}.db", create=True) as store:
            run = open_run(store, {"budget": budget, "trials": 1}, data=tiny)
            first = run.proposer.next(run.history)
            assert isinstance(first, Proposal)
            assert first.cost.params < budget
            assert run.planned == len(run.baselines) + 1
            assert set(run.skipped_baselines) == set(PARAMS) - set(run.baselines)
            assert (first.name == next(iter(run.baselines))) if run.baselines else (first.trial == 0)
            return set(run.baselines)

    return plan


@pytest.mark.parametrize(("name", "params"), PARAMS.items())
def test_a_model_at_the_budget_is_left_out_and_one_below_it_is_trained(
    planned: Callable[[int], set[str]], name: str, params: int
) -> None:
    assert name not in planned(params)
    assert name in planned(params + 1)


def test_every_model_below_the_budget_is_planned(planned: Callable[[int], set[str]]) -> None:
    for budget in (3_000, 4_000, 8_000, 10_000):
        assert planned(budget) == {name for name, params in PARAMS.items() if params < budget}


def test_the_seed_decides_the_first_candidate_and_zero_is_a_seed(tiny: Path, tmp_path: Path) -> None:
    def first(seed: int, number: int) -> str:
        with Store(tmp_path / f"{number}.db", create=True) as store:
            run = open_run(store, {"baselines": False, "seed": seed}, data=tiny)
            proposal = run.proposer.next(run.history)
            assert isinstance(proposal, Proposal)
            return proposal.name

    zero, again, one, large = (first(seed, number) for number, seed in enumerate((0, 0, 1, 2**31 - 1)))
    assert zero == again
    assert len({zero, one, large}) == 3
