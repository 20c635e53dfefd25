from __future__ import annotations

import pytest

from tinysearch.cli.durations import seconds
from tinysearch.errors import InputError


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
