from __future__ import annotations

from pathlib import Path

import pytest

from tinysearch.errors import InputError
from tinysearch.runtime.paths import local


@pytest.mark.parametrize(
    "text", ["runs/tinysearch.db", "/data/x.db", ":memory:", "C:/runs/x.db", "C:\\runs\\x.db", "a:b", "a~b"]
)
def test_paths_stay_as_they_are(text: str) -> None:
    assert str(local(text, "a store")) == str(Path(text))
    assert local(Path(text), "a store") == Path(text)


def test_a_folder_may_have_the_name_of_the_home() -> None:
    assert local("./~/x", "a store") == Path("./~/x")


@pytest.mark.parametrize("text", ["sqlite:///runs.db", "https://example.org/x.npz", "s3://bucket/x", "file:///x.db"])
def test_urls_are_refused_as_paths_of_which_one_slash_is_left_too(text: str) -> None:
    for given in (text, Path(text)):
        with pytest.raises(InputError, match=r"^a store is a file or folder on this machine, not a URL"):
            local(given, "a store")


def test_a_home_that_nobody_knows_is_refused_with_the_remedy() -> None:
    with pytest.raises(InputError, match=r"'~nobody-of-that-name/x.db'.*without ~"):
        local("~nobody-of-that-name/x.db", "a store")
