from __future__ import annotations

from typing import Any

import pytest

from tinysearch.data.loading import DATASETS
from tinysearch.data.source import NAMED
from tinysearch.report.commands import data_words, resume
from tinysearch.results.run import Run


def run_of(dataset: str, source: dict[str, Any] | None) -> Run:
    return Run("my run", dataset, "f" * 16, {}, {}, "now", None, source)


def test_the_named_datasets_are_those_that_can_be_loaded() -> None:
    assert ("auto", *NAMED) == DATASETS


@pytest.mark.parametrize(
    ("dataset", "source", "words"),
    [
        ("zoo", {"path": "/data/zoo"}, []),
        ("zoo", {}, ["--data", "DATA"]),
        ("zoo", None, ["--data", "DATA"]),
        ("mnist", None, []),
    ],
)
def test_data_is_asked_for_where_the_run_does_not_say_where_it_is(
    dataset: str, source: dict[str, Any] | None, words: list[str]
) -> None:
    assert data_words(run_of(dataset, source)) == words


def test_a_command_can_be_pasted() -> None:
    given = resume(run_of("zoo", None), ["--store", "my store.db"])
    assert given == "tinysearch run --name 'my run' --resume --data DATA --store 'my store.db'"
