from __future__ import annotations

import os

import pytest

from tinysearch.search.backend import quiet


def test_what_compiled_code_writes_is_kept_from_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"a remark about the build\n")
    os.write(2, b"an error\n")
    assert capfd.readouterr().err == "an error\n"


def test_what_was_kept_is_shown_if_loading_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def load() -> None:
        with quiet():
            os.write(2, b"libfoo.so is missing\n")
            raise ImportError("no TensorFlow")

    with pytest.raises(ImportError):
        load()
    assert "libfoo.so is missing" in capfd.readouterr().err
