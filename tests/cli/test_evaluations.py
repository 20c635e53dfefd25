"""Tables of evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from tinysearch.cli import evaluations
from tinysearch.cli.evaluations import comparisons
from tinysearch.results.predictions import by_network
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.training.recipe import recipe


class Seen(list[Any]):
    """Evaluations of a network that count how often they are looked at."""

    count = 0

    def __getitem__(self, place: Any) -> Any:
        Seen.count += 1
        return super().__getitem__(place)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return a store with the empty run ``first``."""
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "toy", "0123456789abcdef", {})
        yield store


def test_what_was_not_asked_for_is_not_compared(
    store: Store, make_record: Callable[..., Record], monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluated(key: str, **given: Any) -> Record:
        plain = {"purpose": "evaluation", "recipe": recipe("default").to_dict(), "test_fingerprint": "f" * 16}
        return make_record(key, **{**plain, "test_accuracy": 0.5, **given})

    records = [evaluated("baseline", origin="baseline"), *(evaluated(f"mine{place}") for place in range(40))]
    store.add([], records)
    monkeypatch.setattr(Seen, "count", 0)
    monkeypatch.setattr(
        evaluations, "by_network", lambda found: {key: Seen(one) for key, one in by_network(found).items()}
    )
    compared = comparisons(store, records[-1:])
    assert compared is not None
    assert Seen.count < 5 * 40
    console = Console(width=120, record=True)
    console.print(compared)
    shown = console.export_text()
    assert shown.count("against the hand-designed baselines") == 1
    assert "mine39 (n=1)" in shown
