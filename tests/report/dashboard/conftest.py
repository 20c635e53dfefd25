from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tinysearch.report.dashboard.board import Board
from tinysearch.report.dashboard.changes import Changes
from tinysearch.report.dashboard.follower import Follower
from tinysearch.results.record import Record
from tinysearch.results.store import Store

SETTINGS = {"trials": 40, "strategy": "evolution", "seed": 0, "lag": 4, "budget": {"params": 10_000}}


class Followed:
    """A store that one writes to as a run would, and the page of a dashboard that only reads it."""

    def __init__(self, path: Path, make_record: Callable[..., Record]) -> None:
        self.make_record = make_record
        self.run = Store(path, create=True)
        self.run.create_run("search", "toy", "0123456789abcdef", SETTINGS)
        self.changes = Changes("dashboard", "Live.")
        self.board = Board(self.changes)
        self.reader = Store(path)
        self.follower = Follower(self.reader, self.board)

    def store(self, position: int, accuracy: float, **fields: object) -> None:
        given = {"run": "search", "trial": position, "position": position, "val_accuracy": accuracy, **fields}
        self.run.append(self.make_record(f"{position:012d}", **given))

    def close(self) -> None:
        self.board.close()
        self.run.close()
        self.reader.close()


@pytest.fixture
def followed(tmp_path: Path, make_record: Callable[..., Record]) -> Iterator[Followed]:
    opened = Followed(tmp_path / "store.db", make_record)
    yield opened
    opened.close()
