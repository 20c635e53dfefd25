from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.report import figures


@pytest.mark.parametrize(
    ("fraction", "written"), [(0.0, "0.00 %"), (1.0, "100.00 %"), (0.99204, "99.20 %"), (None, "-")]
)
def test_percent(fraction: float | None, written: str) -> None:
    assert figures.percent(fraction) == written


@pytest.mark.parametrize(
    ("figure", "written"),
    [
        ((None, None, 0), "-"),
        ((0.9912, None, 1), "99.12 % (n=1)"),
        ((0.9912, 0.0004, 3), "99.12 ± 0.04 % (n=3)"),
        ((0.5, 0.0, 2), "50.00 ± 0.00 % (n=2)"),
    ],
)
def test_tested(figure: tuple[float | None, float | None, int], written: str) -> None:
    assert figures.tested(*figure) == written


def test_params_name_total_trainable_and_the_rest() -> None:
    assert figures.params(8640, 8580, 60) == "8,640 (8,580 + 60)"


@pytest.mark.parametrize(
    ("number", "written"),
    [(0, "0"), (999, "999"), (1_000, "1k"), (1_234, "1.23k"), (999_499, "999k"), (999_500, "1M"), (2e9, "2G")],
)
def test_count(number: float, written: str) -> None:
    assert figures.count(number) == written


@given(st.integers(0, 10**13))
def test_a_count_is_within_half_a_percent_of_the_number(number: int) -> None:
    written = figures.count(number)
    unit = {"k": 1e3, "M": 1e6, "G": 1e9}.get(written[-1], 1)
    assert float(written.rstrip("kMG").replace(",", "")) * unit == pytest.approx(number, rel=0.0051)


@pytest.mark.parametrize(
    ("seconds", "written"),
    [(0.0, "0s"), (59.4, "59s"), (59.6, "1m 00s"), (3_599.6, "1h 00m"), (3_725, "1h 02m"), (90_000, "25h 00m")],
)
def test_duration(seconds: float, written: str) -> None:
    assert figures.duration(seconds) == written


@given(st.lists(st.floats(0, 1), max_size=200), st.integers(2, 60))
def test_a_sparkline_has_a_block_per_value_and_at_most_its_width(values: list[float], width: int) -> None:
    assert len(figures.sparkline(values, width)) == min(len(values), width)


def test_a_sparkline_of_equal_values_is_flat() -> None:
    assert figures.sparkline([0.5] * 3) == "▁▁▁"
