"""The budget is exclusive, from the call to the records of a run: a model at it is not trained."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from stand_ins import FakeWorker

import tinysearch
from tinysearch.errors import BudgetError
from tinysearch.results.callback import Callback, Stage

PARAMS = {"baseline:conv": 8_640, "baseline:separable": 4_967, "baseline:inception": 3_077}


class Plans(Callback):
    """Remembers what a search is about to do."""

    def __init__(self) -> None:
        self.plan: dict[str, str] = {}
        self.total = 0

    def on_stage_start(self, stage: Stage) -> None:
        self.plan, self.total = dict(stage.plan), stage.total


@pytest.fixture
def trained(tiny: Path, tmp_path: Path) -> Callable[[int], set[str]]:
    """Return a function that gives the hand-designed baselines that a run with a budget trains."""

    def train(budget: int) -> set[str]:
        plans = Plans()
        given = {"data": tiny, "store": tmp_path / f"{budget}.db", "callbacks": [plans]}
        with tinysearch.Study(budget, trials=1, strategy="random", **given) as study:
            records = study.run(executor=FakeWorker().executor()).records
        assert all(record.cost.params < budget for record in records)
        baselines = {record.name for record in records if record.origin == "baseline"}
        assert [record.trial for record in records] == [None] * len(baselines) + [0]
        assert plans.total == len(baselines) + 1
        skipped = set(PARAMS) - baselines
        said = re.findall(r"\b(conv|separable|inception)\b", plans.plan["search"].partition("(without")[2])
        assert {f"baseline:{name}" for name in said} == skipped
        return baselines

    return train


@pytest.mark.parametrize(("name", "params"), PARAMS.items())
def test_a_model_at_the_budget_is_left_out_and_one_below_it_is_trained(
    trained: Callable[[int], set[str]], name: str, params: int
) -> None:
    assert name not in trained(params)
    assert name in trained(params + 1)


def test_every_model_below_the_budget_is_trained(trained: Callable[[int], set[str]]) -> None:
    for budget in (3_000, 4_000, 8_000, 10_000):
        assert trained(budget) == {name for name, params in PARAMS.items() if params < budget}


def test_the_seed_decides_the_first_candidate_and_zero_is_a_seed(tiny: Path, tmp_path: Path) -> None:
    def first(seed: int, number: int) -> str:
        given = {"data": tiny, "store": tmp_path / f"{number}.db"}
        with tinysearch.Study(baselines=False, seed=seed, trials=1, designs=0, **given) as study:
            (record,) = study.run(executor=FakeWorker().executor()).records
        return record.key

    zero, again, one, large = (first(seed, number) for number, seed in enumerate((0, 0, 1, 2**31 - 1)))
    assert zero == again
    assert len({zero, one, large}) == 3


def test_what_takes_more_of_a_device_than_there_is_never_becomes_a_trial(tiny: Path, tmp_path: Path) -> None:
    plans = Plans()
    given = {"data": tiny, "store": tmp_path / "store.db", "callbacks": [plans], "baselines": False}
    with tinysearch.Study(trials=3, strategy="random", max_flash=6_000, max_ram=9_000, **given) as study:
        records = study.run(executor=FakeWorker().executor()).records
    assert len(records) == 3
    assert all(record.cost.flash_bytes <= 6_000 and record.cost.ram_bytes <= 9_000 for record in records)
    assert "at most 9,000 bytes of RAM" in plans.plan["budget"]
    assert "at most 6,000 bytes of flash" in plans.plan["budget"]


def test_images_that_are_larger_than_the_ram_are_an_error_before_anything_is_trained(
    tiny: Path, tmp_path: Path
) -> None:
    worker = FakeWorker()
    words = "an image of 28x28x1 alone takes 784 bytes of RAM"
    with (
        tinysearch.Study(max_ram=783, data=tiny, store=tmp_path / "store.db") as study,
        pytest.raises(BudgetError, match=words),
    ):
        study.run(executor=worker.executor())
    assert worker.jobs == []
