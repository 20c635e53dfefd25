from __future__ import annotations

from collections.abc import Callable

import pytest

from tinysearch.baselines.models import CONV
from tinysearch.report.card import to_card
from tinysearch.results.record import Record
from tinysearch.space.cost import cost
from tinysearch.space.task import Task

COST = cost(CONV.architecture, Task())


def test_a_card_tells_costs_results_training_and_limits(make_record: Callable[..., Record]) -> None:
    evaluated = {"purpose": "evaluation", "trial": None, "val_accuracy": None}
    records = [
        make_record(val_accuracy=0.9),
        *(make_record(seed=seed, test_accuracy=score, **evaluated) for seed, score in enumerate((0.7, 0.9))),
        make_record(seed=7, test_accuracy=0.5, purpose="evaluation"),
        make_record(seed=8, failure="out of memory"),
    ]
    card = to_card("baseline:conv", CONV.architecture, COST, records)
    assert card.startswith("# baseline:conv\n")
    assert "8,640 (8,580 + 60)" in card
    assert "| images held out for validation | 90.00 ± 0.00 % (n=2) | 0, 7 |" in card
    assert "| test images | 80.00 ± 14.14 % (n=2) | 0, 1 | all training images |" in card
    assert "| test images | 50.00 % (n=1) | 7 | training images without those held out |" in card
    assert "- again: `tinysearch reproduce aaaaaaaaaaaa --seeds 3`\n" in card
    words = ["--data", "DATA", "--store", "my store.db"]
    elsewhere = to_card("baseline:conv", CONV.architecture, COST, records, words=words)
    assert "`tinysearch reproduce aaaaaaaaaaaa --seeds 3 --data DATA --store 'my store.db'`" in elsewhere
    assert "| conv1 | conv | 28x28x20 | 1,000 | 768,320 |" in card
    assert "## Limits" in card


def test_a_training_counts_once_however_many_records_it_has(make_record: Callable[..., Record]) -> None:
    evaluated = {"purpose": "evaluation", "trial": None, "val_accuracy": None, "test_accuracy": 0.7}
    records = [
        make_record(),
        make_record(run="second", reused_from="first"),
        make_record(dataset="other", fingerprint="f" * 16, val_accuracy=0.1),
        make_record(seed=1, val_accuracy=0.1, recipe={"epochs": 5}),
        make_record(**evaluated),
        make_record(run="again", **evaluated),
    ]
    card = to_card("mine", CONV.architecture, COST, records)
    assert "| images held out for validation | 90.00 % (n=1) | 0 |" in card
    assert "| test images | 70.00 % (n=1) | 0 | all training images |" in card


def test_what_was_never_trained_has_a_card_that_says_so() -> None:
    card = to_card("mine", CONV.architecture, COST, [])
    assert "This network was never trained." in card
    assert "## Training" not in card


@pytest.mark.parametrize("field", ["run", "dataset"])
def test_what_users_named_is_text_and_never_markup(field: str, make_record: Callable[..., Record]) -> None:
    record = make_record(**{field: "<b>|`x`\n# title"})
    card = to_card("<b>", CONV.architecture, COST, [record])
    assert "<b>" not in card
    assert "\n# title" not in card
