from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from tinysearch.report.build import build
from tinysearch.report.memory import Memory
from tinysearch.results.leaderboard import rank
from tinysearch.results.lock import RunLock
from tinysearch.results.objective import OBJECTIVES


class Page:
    """What a page knows, brought up to date as live.js does it."""

    def __init__(self) -> None:
        self.version = 0
        self.candidates: dict[int, dict[str, Any]] = {}
        self.order: list[int] = []
        self.best: list[float | None] = []
        self.runs = ""

    def accept(self, changes: dict[str, Any]) -> None:
        self.version = changes["version"]
        self.runs = changes["runs"] or self.runs
        for section in changes["sections"]:
            changed = {one["index"]: one for one in section["candidates"]}
            self.candidates |= changed
            kept = [place for place in self.order if place not in changed]
            for place in sorted(changed, key=lambda place: changed[place]["row"]["rank"]):
                kept.insert(changed[place]["row"]["rank"] - 1, place)
            self.order = section["order"] or kept
            for search in filter(None, section["searches"]):
                self.best[search["from"] :] = search["best"]

    def names(self) -> list[str]:
        return [self.candidates[place]["row"]["name"] for place in self.order]


def test_a_page_of_any_version_that_takes_what_is_new_has_what_the_report_has(followed: Any) -> None:
    rng = np.random.default_rng(0)
    pages: list[Page] = []
    # Four workers: what was begun first is not always done first.
    positions = [place + offset for place in range(0, 24, 4) for offset in rng.permutation(4)]
    for count, position in enumerate(map(int, positions)):
        followed.store(position, 0.5 + 0.4 * rng.random(), params=1_000 + int(rng.integers(9_000)))
        if count % 5 == 4:
            # One of them on another fold: its mean and its rank change.
            followed.store(position, 0.1, seed=1, purpose="revalidation", trial=None)
        followed.follower.look()
        pages.append(Page())
        for page in pages[count % 3 :: 3]:
            page.accept(followed.changes.since(page.version))
    for page in pages:
        page.accept(followed.changes.since(page.version))
    whole = build(followed.run)
    rows = rank(followed.run.records()).rows
    assert [page.names() for page in pages] == [[row.name for row in rows]] * len(pages)
    assert all(page.best == whole.sections[0].searches[0].best for page in pages)
    assert all(
        page.candidates[place]["row"]["val_accuracy"] == row.val_accuracy
        for page in pages
        for place, row in zip(page.order, rows, strict=True)
    )


def test_only_what_is_new_is_sent(followed: Any) -> None:
    followed.run.add(
        [],
        [
            followed.make_record(
                f"{place:012d}", run="search", position=place, trial=place, val_accuracy=0.5 + place / 1e4
            )
            for place in range(1_000)
        ],
    )
    followed.follower.look()
    version = followed.changes.version
    whole = len(json.dumps(followed.changes.since(0)))
    followed.store(1_000, 0.55)
    followed.follower.look()
    new = followed.changes.since(version)
    (section,) = new["sections"]
    assert [one["row"]["name"] for one in section["candidates"]] == ["000000001000"]
    assert section["order"] is None
    assert [search["from"] for search in section["searches"]] == [1_000]
    assert len(json.dumps(new)) < whole / 100
    assert followed.changes.since(followed.changes.version)["sections"][0]["candidates"] == []


def test_where_nothing_is_new_there_is_no_new_version(followed: Any) -> None:
    followed.store(0, 0.5)
    followed.follower.look()
    version = followed.changes.version
    followed.follower.look()
    assert followed.changes.version == version


def test_a_run_that_is_carried_out_that_was_killed_and_that_has_ended_is_shown_as_such(followed: Any) -> None:
    lock = RunLock(followed.run.folder_of("search"), "search")
    followed.follower.look()
    assert "running: in progress, in process" in followed.changes.page()
    version = followed.changes.version
    lock.release()
    followed.follower.look()
    runs = followed.changes.since(version)["runs"]
    assert "stopped: no process is running it; resume it with tinysearch run --name search --resume" in runs
    followed.run.finish("search")
    followed.follower.look()
    assert "finished: finished at" in followed.changes.page()
    assert followed.changes.since(followed.changes.version)["runs"] is None


def test_a_page_whose_tables_would_be_others_has_another_shape(followed: Any) -> None:
    followed.follower.look()
    assert "Nothing has been measured yet" in followed.changes.page()
    shapes = [followed.changes.shape]
    followed.store(0, 0.5)
    followed.follower.look()
    shapes.append(followed.changes.shape)
    followed.store(1, 0.6)
    followed.follower.look()
    assert followed.changes.shape == shapes[-1]
    followed.run.create_run("other", "other", "f" * 16, {"trials": 2})
    followed.run.append(followed.make_record("b" * 12, run="other", position=0))
    followed.follower.look()
    shapes.append(followed.changes.shape)
    assert len(set(shapes)) == 3
    assert f'data-shape="{shapes[-1]}"' in followed.changes.page()


def test_what_users_named_is_text_and_never_markup(followed: Any) -> None:
    followed.run.create_run("<script>alert(1)</script>", "toy", "0123456789abcdef", {"trials": 2})
    followed.store(0, 0.5, run="<script>alert(1)</script>", name="<img src=x>")
    followed.follower.look()
    changes = followed.changes.since(0)
    assert "<script>alert" not in followed.changes.page()
    assert "<script>alert" not in changes["runs"] + changes["sections"][0]["table"]
    assert "<img" not in changes["sections"][0]["candidates"][0]["html"] + changes["sections"][0]["headline"]


def test_all_of_a_candidate_is_there_when_it_is_asked_for(followed: Any) -> None:
    followed.store(0, 0.5)
    followed.follower.look()
    found = followed.changes.candidate(0, 0)
    assert found is not None
    assert found["row"]["name"] == "000000000000"
    assert found["curve"]["val_accuracy"] == [0.5]
    assert "tinysearch reproduce" in found["reproduce"]
    assert followed.changes.candidate(0, 1) is None
    assert followed.changes.candidate(1, 0) is None


@pytest.mark.parametrize("metric", [None, *OBJECTIVES])
def test_a_report_that_goes_on_from_an_earlier_one_is_that_of_all_records(followed: Any, metric: str | None) -> None:
    memory = Memory()
    for position, accuracy in enumerate((0.5, 0.7, 0.6)):
        followed.store(position, accuracy, metrics=dict.fromkeys(OBJECTIVES.keys() - {"accuracy"}, 1 - accuracy))
        report = build(followed.reader, metric=metric, memory=memory)
    assert report == build(followed.reader, metric=metric)
