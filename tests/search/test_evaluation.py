from __future__ import annotations

import dataclasses

import pytest

from tinysearch.errors import DatasetError
from tinysearch.search.candidate import Candidate
from tinysearch.search.datasets import Dataset, Images, load
from tinysearch.search.evaluation import evaluate
from tinysearch.search.recipe import Recipe
from tinysearch.space.architecture import Architecture, Conv, Head, Pool

SMALL = Candidate(Architecture((Conv(4, stride=2), Pool()), Head("average")), Recipe(epochs=1))


@pytest.fixture
def digits() -> Dataset:
    whole = load("digits")
    return dataclasses.replace(
        whole, train=Images(whole.train.pixels[:100], whole.train.labels[:100]), load_test=whole.load_test
    )


def test_the_test_images_are_read_once_and_after_training(digits: Dataset) -> None:
    events: list[str] = []

    def reads() -> Images:
        events.append("test images")
        return digits.load_test()

    watched = dataclasses.replace(digits, load_test=reads)
    record = evaluate(
        SMALL,
        watched,
        7,
        run="r",
        name="small",
        origin="search",
        on_epoch=lambda number, epoch: events.append(f"epoch {number}"),
    )
    assert events == ["epoch 1", "test images"]
    assert record.purpose == "evaluation"
    assert record.seed == 7
    assert record.test_accuracy is not None
    assert (record.test_accuracy * 359) == pytest.approx(round(record.test_accuracy * 359))


def test_a_dataset_without_test_images_cannot_be_evaluated_on(digits: Dataset) -> None:
    def none() -> Images:
        raise DatasetError("this dataset has no test images")

    with pytest.raises(DatasetError, match="no test images"):
        evaluate(SMALL, dataclasses.replace(digits, load_test=none), 0, run="r", name="s", origin="search")
