from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tinysearch.results.callback import Callback, Callbacks, Stage

STAGE = Stage("search", "run", 1, 1, 1)


class Told(Callback):
    """Keeps what it was told, and raises an error when told of one kind of event."""

    def __init__(self, refused: str = "") -> None:
        self.refused = refused
        self.events: list[str] = []

    def on_stage_start(self, stage: Stage) -> None:
        self._hear("stage start")

    def on_stage_end(self, stage: Stage) -> None:
        self._hear("stage end")

    def on_end(self, ending: Any) -> None:
        self._hear(ending)

    def _hear(self, event: str) -> None:
        self.events.append(event)
        if event == self.refused:
            raise RuntimeError(f"no {event}")


@pytest.mark.parametrize(
    ("refused", "tell"),
    [("stage end", lambda them: them.on_stage_end(STAGE)), ("failed", lambda them: them.on_end("failed"))],
)
def test_all_are_told_of_an_end_though_one_raises_an_error(refused: str, tell: Callable[[Callbacks], None]) -> None:
    told = [Told(), Told(refused), Told()]
    with pytest.raises(RuntimeError, match=f"no {refused}"):
        tell(Callbacks(told))
    assert all(one.events == [refused] for one in told)


def test_a_stage_that_one_refuses_to_start_is_over_for_those_that_have_started() -> None:
    told = [Told(), Told("stage start"), Told()]
    with pytest.raises(RuntimeError, match="no stage start"):
        Callbacks(told).on_stage_start(STAGE)
    assert [one.events for one in told] == [["stage start", "stage end"], ["stage start"], []]
