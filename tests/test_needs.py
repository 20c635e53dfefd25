"""What a test needs and is not there is never left out in silence."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Needs = Callable[[object, str, str], None]


def test_what_is_there_is_no_matter(needs: Needs) -> None:
    needs("/usr/bin/chromium", "a browser", "apt-get install chromium")


def test_what_is_missing_is_a_skip_that_says_how_it_is_had(needs: Needs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="a browser is missing: apt-get install chromium"):
        needs(None, "a browser", "apt-get install chromium")


@pytest.mark.parametrize("value", ["1", "true"])
def test_what_is_missing_in_ci_is_a_failure(needs: Needs, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CI", value)
    with pytest.raises(pytest.fail.Exception, match="apt-get install chromium"):
        needs(None, "a browser", "apt-get install chromium")
