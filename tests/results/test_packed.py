"""Curves that take less memory."""

from __future__ import annotations

import copy
import sys
from dataclasses import replace

import pytest

from tinysearch.results.packed import packed
from tinysearch.results.record import Epoch, Measurement

CURVE = tuple(Epoch(1.0 / number, 0.5, 2.0, 0.1 * number, 0.1, float(number)) for number in range(1, 11))


def test_a_packed_curve_is_equal_to_the_curve_and_gives_the_same_epochs() -> None:
    found = packed(CURVE)
    assert found == CURVE
    assert (CURVE == found) is True  # noqa: SIM300 - both ways round
    assert (len(found), found[0], found[-1], found[2:4]) == (10, CURVE[0], CURVE[-1], CURVE[2:4])
    assert list(found) == list(CURVE)
    assert found != packed(CURVE[:9])


def test_it_takes_less_memory() -> None:
    values = packed(CURVE)._values  # type: ignore[attr-defined]
    assert sys.getsizeof(values) < sum(sys.getsizeof(epoch) + 6 * sys.getsizeof(0.1) for epoch in CURVE) / 3


def test_measurements_are_written_and_copied_as_before() -> None:
    whole = Measurement(CURVE, 10.0)
    found = Measurement(packed(CURVE), 10.0)
    assert found == whole
    assert found.to_dict() == whole.to_dict()
    assert found.val_accuracy == whole.val_accuracy
    assert replace(found, train_seconds=2.0) == replace(whole, train_seconds=2.0)
    assert copy.deepcopy(found) == whole


@pytest.mark.parametrize(
    "epoch",
    [
        Epoch(1.0, 0.5, None, None, 0.1, 1.0),
        Epoch(1.0, 0.5, 1.0, 0.5, 0.1, 1.0, {"macro_f1": 0.4}),
        Epoch(1, 0.5, 1.0, 0.5, 0.1, 1.0),
    ],
)
def test_what_is_no_plain_number_is_kept_as_it_is(epoch: Epoch) -> None:
    curve = (epoch, CURVE[1])
    assert packed(curve) is curve


def test_a_curve_without_epochs_is_one() -> None:
    assert packed(()) == ()
    with pytest.raises(IndexError):
        packed(())[0]
