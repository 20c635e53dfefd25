"""Values that are equal are written alike, whatever they were made of."""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import itertools
import json
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinysearch.errors import InputError
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    DepthwiseConv,
    Dropout,
    Head,
    Inception,
    Layer,
    Pool,
    Residual,
    SeparableConv,
)
from tinysearch.space.budget import Budget
from tinysearch.space.scalars import integer, option, real, written
from tinysearch.space.task import Task


class Whole(enum.IntEnum):
    TWO = 2


class Word(str):
    __slots__ = ()


NUMBERS: tuple[Any, ...] = (
    *(0, 1, 2, 3, 0.0, -0.0, 1.0, 2.0, 0.5, True, False, Whole.TWO, Fraction(1, 2), Fraction(2)),
    *(np.int64(2), np.uint8(2), np.array(2), np.float32(0.5), np.float64(2.0), np.bool_(True)),
    *(None, "2", [2], (2, 2), [2, 2], (np.int64(2), 2), (2.0, 2), np.array([2, 2]), float("nan"), 10**400),
)
WORDS: tuple[Any, ...] = (
    "same",
    Word("same"),
    np.str_("same"),
    "valid",
    "average",
    Word("average"),
    "none",
    "relu",
    b"same",
    1,
    None,
)
FIELDS: list[tuple[Callable[[Any], Any], tuple[Any, ...]]] = [
    *((kind, NUMBERS) for kind in (Conv, SeparableConv, DepthwiseConv, Dropout, Budget)),
    *((lambda value, name=name: Conv(4, **{name: value}), NUMBERS) for name in ("kernel", "stride", "repeat", "bias")),
    *((lambda value, name=name: Conv(4, **{name: value}), WORDS) for name in ("padding", "activation", "norm")),
    *((lambda value, name=name: Pool(**{name: value}), NUMBERS) for name in ("size", "stride")),
    *((lambda value, name=name: Pool(**{name: value}), WORDS) for name in ("mode", "padding")),
    (lambda value: Head(hidden=value), NUMBERS),
    (lambda value: Head(value), WORDS),
    (lambda value: Task(classes=value), NUMBERS),
    (lambda value: Task((value, 2, 1)), NUMBERS),
    (lambda value: Budget(9, macs=value), NUMBERS),
]


def as_json(value: Any) -> str:
    return json.dumps([value.input_shape, value.classes] if isinstance(value, Task) else value.to_dict())


@pytest.mark.parametrize(("make", "pool"), FIELDS)
def test_a_field_is_refused_or_kept_in_the_one_form_that_equal_values_share(
    make: Callable[[Any], Any], pool: tuple[Any, ...]
) -> None:
    made = []
    for given_value in pool:
        with contextlib.suppress(InputError):
            made.append(make(given_value))
    assert made
    for one, other in itertools.combinations(made, 2):
        assert (one == other) == (as_json(one) == as_json(other))
        assert one != other or hash(one) == hash(other)


def respelled(draw: st.DrawFn, value: Any) -> Any:
    """The same value, perhaps of another type that is as good."""
    match value:
        case bool() | None:
            return value
        case int():
            return draw(st.sampled_from([value, np.int64(value), np.int32(value), np.array(value)]))
        case float():
            return draw(st.sampled_from([value, np.float64(value), value if value else -0.0, value if value else 0]))
        case str():
            return draw(st.sampled_from([value, Word(value), np.str_(value)]))
        case (int(height), int(width)):
            pair = (respelled(draw, height), respelled(draw, width))
            return draw(st.sampled_from([pair, list(pair), *([respelled(draw, height)] if height == width else [])]))
    raise AssertionError(value)


def rebuilt(draw: st.DrawFn, layer: Layer) -> Layer:
    sequence = draw(st.sampled_from([tuple, list]))
    if isinstance(layer, Inception):
        return Inception(sequence(sequence(rebuilt(draw, step) for step in branch) for branch in layer.branches))
    if isinstance(layer, Residual):
        return Residual(sequence(rebuilt(draw, step) for step in layer.body))
    names = [field.name for field in dataclasses.fields(layer)]
    fields = {name: respelled(draw, getattr(layer, name)) for name in names}
    if isinstance(layer, Pool) and layer.stride == 0:
        fields["stride"] = draw(st.sampled_from([0, layer.size, np.int64(layer.size)]))
    return type(layer)(**fields)


@given(data=st.data())
@settings(max_examples=200, deadline=None, derandomize=True)
def test_an_architecture_is_the_same_whatever_its_numbers_and_sequences_were_made_of(
    free_form: st.SearchStrategy[Architecture], data: st.DataObject
) -> None:
    plain = data.draw(free_form)
    layers = [rebuilt(data.draw, layer) for layer in plain.layers]
    head = Head(respelled(data.draw, plain.head.pooling), respelled(data.draw, plain.head.hidden))
    other = Architecture(layers, head)  # type: ignore[arg-type]
    assert other == plain
    assert other.key == plain.key
    assert repr(other) == repr(plain)


def test_a_head_of_a_class_of_ones_own_is_refused() -> None:
    class Other(Head):
        __slots__ = ()

    with pytest.raises(InputError, match="Head"):
        Architecture((Conv(1),), Other())


@pytest.mark.parametrize(
    ("value", "whole", "number"),
    [
        (3, 3, 3.0),
        (np.int64(3), 3, 3.0),
        (np.float32(0.5), None, 0.5),
        (3.0, None, 3.0),
        (Fraction(1, 2), None, 0.5),
        (True, None, None),
        (np.bool_(True), None, None),
        ("3", None, None),
        (None, None, None),
        (1j, None, None),
        (10**400, 10**400, None),
    ],
)
def test_numbers_of_any_library_become_plain_ones(value: Any, whole: int | None, number: float | None) -> None:
    assert (integer(value), real(value)) == (whole, number)
    assert {type(integer(value)), type(real(value))} <= {int, float, type(None)}


def test_there_is_no_negative_zero() -> None:
    assert [str(real(zero)) for zero in (-0.0, 0, np.float64(-0.0))] == ["0.0"] * 3


def test_a_text_becomes_the_option_that_it_is_equal_to() -> None:
    assert type(option(Word("same"), ("same", "valid"))) is str
    assert option("full", ("same", "valid")) is option(1, ("same",)) is None


@given(st.floats(min_value=-1e12, max_value=1e12), st.integers(1, 9))
def test_a_number_is_written_for_people_as_it_is_rounded(value: float, digits: int) -> None:
    text = written(value, digits)
    assert "e" not in text
    # All places before the point are kept.
    expected = round(value) if abs(value) >= 10**digits else float(f"{value:.{digits}g}")
    assert float(text.replace(",", "").replace(" x 10^", "e")) == pytest.approx(expected, abs=0)
