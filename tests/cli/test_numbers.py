from __future__ import annotations

import pytest
import typer

from tinysearch.cli.numbers import natural, positive, seconds, several, size_or_bytes, whole
from tinysearch.errors import InputError
from tinysearch.space.sizes import size


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("10000", 10_000),
        ("10_000", 10_000),
        ("10,000", 10_000),
        ("1,234,567", 1_234_567),
        ("10k", 10_000),
        ("10K", 10_000),
        ("10.5k", 10_500),
        ("1,000k", 1_000_000),
        ("2M", 2_000_000),
        ("0.25m", 250_000),
        ("1e4", 10_000),
        ("1.5e3", 1_500),
        (" 7 ", 7),
        ("-7", -7),
        ("+7", 7),
        ("0", 0),
        (7, 7),
    ],
)
def test_a_whole_number_is_read_as_people_write_it(text: str | int, number: int) -> None:
    assert whole(text) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "10.5",
        "10.000",
        "10.0",
        "1.0005k",
        "1e-3",
        "1e999",
        "1,5k",
        "10,00",
        ",100",
        "1__0",
        "_1",
        "k",
        "2G",
        "0x10",
        "10 000",
        "1,000_000",
        "--7",
        "nan",
    ],
)
def test_what_is_no_whole_number_is_refused_with_the_ways_to_write_one(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="10000, 10_000, 10,000 or 10k") as caught:
        whole(text)
    assert f"{text!r} is not a whole number" in caught.value.message


def test_bounds_hold_whatever_the_way_of_writing() -> None:
    assert (natural("0"), positive("1k")) == (0, 1_000)
    for parser, text, number in ((natural, "-1k", "-1000"), (positive, "0", "0")):
        with pytest.raises(typer.BadParameter, match=f"^{number} is below"):
            parser(text)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("1000", [1_000]),
        ("1000,3000", [1_000, 3_000]),
        ("1000, 3000", [1_000, 3_000]),
        ("1k,3k,10k", [1_000, 3_000, 10_000]),
        ("1_000,3_000", [1_000, 3_000]),
        ("1,000 3,000", [1_000, 3_000]),
        ("1,000, 3,000", [1_000, 3_000]),
        ("1,000;3,000", [1_000, 3_000]),
        ("1,000; 3,000;", [1_000, 3_000]),
        ("100,500,900", [100, 500, 900]),
    ],
)
def test_a_list_is_set_apart_by_commas_or_where_numbers_have_some_by_spaces(text: str, numbers: list[int]) -> None:
    assert several(text) == numbers


@pytest.mark.parametrize("text", ["1,000,3,000", "10,000", "1,500", "1,500,3,200", "100,900,300"])
def test_a_list_that_can_be_read_in_two_ways_is_refused_with_both_remedies(text: str) -> None:
    with pytest.raises(InputError, match=r"two ways.*1k,3k.*spaces") as caught:
        several(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize("text", ["", ",", "1000,", "1000,x", "1000;x"])
def test_a_list_with_something_else_than_whole_numbers_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="not a whole number") as caught:
        several(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"), [("90s", 90), ("30m", 1_800), ("2h", 7_200), ("1.5h", 5_400), ("0.5s", 0.5), (" 5m ", 300)]
)
def test_a_duration_is_a_number_with_a_unit(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0s", "0.0h", "-5m", "5", "m", "5 m", "1d", "5M", "1e3s", "1h30m", "infs"])
def test_anything_else_is_an_error_that_names_it_and_shows_what_is_right(text: str) -> None:
    with pytest.raises(InputError, match=r"90s, 30m or 2h") as caught:
        seconds(text)
    assert repr(text) in str(caught.value)


@pytest.mark.parametrize(
    ("text", "bytes_"), [("2K", 2048), ("500m", 500 * 2**20), ("1.5GB", 3 * 2**29), ("1GiB", 2**30)]
)
def test_sizes_are_read_as_people_write_them(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "500", "0M", "0.0001K", "-1G", "2T", "much", "1 000K"])
def test_what_is_no_size_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(InputError, match=f"got {text!r}"):
        size(text)


@pytest.mark.parametrize(("text", "expected"), [("17000", 17_000), ("17,000", 17_000), ("16K", 16_384), (5, 5)])
def test_a_size_without_a_unit_is_one_of_bytes(text: str | int, expected: int) -> None:
    assert size_or_bytes(text) == expected


@pytest.mark.parametrize("text", ["much", "1.5", "", "0K"])
def test_what_is_neither_a_size_nor_a_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(typer.BadParameter) as caught:
        size_or_bytes(text)
    assert repr(text) in caught.value.message
