from __future__ import annotations

import pytest

from tinysearch.cli.sizes import size
from tinysearch.errors import InputError


@pytest.mark.parametrize(("text", "bytes_"), [("2K", 2048), ("500m", 500 * 2**20), ("1.5GB", 3 * 2**29)])
def test_sizes_are_read_as_people_write_them(text: str, bytes_: int) -> None:
    assert size(text) == bytes_


@pytest.mark.parametrize("text", ["", "0", "500", "0M", "0.0001K", "-1G", "2T", "much", "1 000K"])
def test_what_is_no_size_is_refused_with_its_value(text: str) -> None:
    with pytest.raises(InputError, match=f"got {text!r}"):
        size(text)
