from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.results.record import Epoch, Measurement, Record

numbers = st.floats(allow_nan=False, allow_infinity=False)
epochs = st.builds(
    Epoch,
    loss=numbers,
    accuracy=numbers,
    val_loss=st.none() | numbers,
    val_accuracy=st.none() | numbers,
    learning_rate=numbers,
    seconds=numbers,
)
measurements = st.builds(
    Measurement,
    curve=st.lists(epochs, max_size=4).map(tuple),
    train_seconds=numbers,
    failure=st.none() | st.text(),
)


def test_the_score_is_the_last_epoch_and_not_the_best(make_record: Callable[..., Record]) -> None:
    record = make_record(earlier=(0.5, 0.99), val_accuracy=0.9)
    assert record.score == 0.9
    assert record.measurement.val_accuracy == 0.9
    assert record.measurement.val_loss == pytest.approx(0.1)


def test_a_failed_training_has_no_accuracy_even_if_some_epochs_were_finished() -> None:
    curve = (Epoch(0.5, 0.8, 0.4, 0.9, 0.1, 1.0),)
    failed = Measurement(curve, 1.0, "loss was nan after epoch 2")
    assert failed.val_accuracy is None
    assert failed.val_loss is None


def test_a_failed_record_scores_below_every_other(make_record: Callable[..., Record]) -> None:
    failed = make_record(failure="out of memory")
    assert failed.failed
    assert failed.score == -math.inf < make_record(val_accuracy=0.0).score


def test_without_validation_images_there_is_no_accuracy(make_record: Callable[..., Record]) -> None:
    record = make_record(val_accuracy=None)
    assert not record.failed
    assert record.measurement.val_accuracy is None
    assert record.score == -math.inf


def test_a_measurement_of_nothing_has_no_accuracy() -> None:
    assert Measurement().val_accuracy is None
    assert Measurement().val_loss is None


@given(measurements)
def test_a_measurement_survives_json(measurement: Measurement) -> None:
    assert Measurement.from_dict(json.loads(json.dumps(measurement.to_dict()))) == measurement


def test_records_cannot_be_changed(make_record: Callable[..., Record]) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        make_record().seed = 1  # type: ignore[misc]
