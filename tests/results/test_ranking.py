from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from tinysearch.cli.watch import _display
from tinysearch.report.build import build
from tinysearch.results.leaderboard import rank
from tinysearch.results.ranking import best, best_below, mark_front, ranked
from tinysearch.results.record import Record
from tinysearch.results.store import Store
from tinysearch.results.summary import Summary

MakeRecord = Callable[..., Record]
FULL = (0.5, 0.6, 0.7)


def test_a_shortened_training_comes_after_full_ones_whatever_its_accuracy(make_record: MakeRecord) -> None:
    records = [
        make_record("short", val_accuracy=0.96, earlier=(0.5,), params=100),
        make_record("shorter", val_accuracy=0.97, params=100),
        make_record("full", val_accuracy=0.90, earlier=FULL, params=900),
        make_record("better", val_accuracy=0.95, earlier=FULL, params=1_000),
    ]
    standings = ranked(records)
    assert [one.first.key for one in standings] == ["better", "full", "short", "shorter"]
    assert [one.epoch_fraction for one in standings] == [1.0, 1.0, 0.5, 0.25]
    assert [one.is_shortened for one in standings] == [False, False, True, True]


def test_what_is_full_is_decided_by_each_run(make_record: MakeRecord) -> None:
    quick = make_record("quick", val_accuracy=0.8, run="two epochs", earlier=(0.1,))
    slow = make_record("slow", val_accuracy=0.7, run="four epochs", earlier=FULL)
    assert [one.first.key for one in ranked([slow, quick])] == ["quick", "slow"]


def test_a_shortened_training_is_on_no_front(make_record: MakeRecord) -> None:
    records = [
        make_record("short", val_accuracy=0.96, params=100),
        make_record("full", val_accuracy=0.90, earlier=FULL, params=900),
    ]
    standings = ranked(records)
    mark_front(standings)
    assert [(one.first.key, one.on_pareto_front) for one in standings] == [("full", True), ("short", False)]


def test_leaderboard_winner_watch_and_report_name_the_same_candidate(make_record: MakeRecord, tmp_path: Path) -> None:
    again = {"purpose": "revalidation", "trial": None}
    records = [
        make_record("short", val_accuracy=0.96, position=0),
        make_record("lucky", val_accuracy=0.95, earlier=FULL, position=1),
        make_record("steady", val_accuracy=0.94, earlier=FULL, position=2),
        make_record("lucky", val_accuracy=0.90, earlier=FULL, seed=1, **again),
        make_record("steady", val_accuracy=0.93, earlier=FULL, seed=1, **again),
    ]
    with Store(tmp_path / "store.db", create=True) as store:
        run = store.create_run("first", "toy", "0123456789abcdef", {"trials": 3})
        for record in records:
            store.append(record)
        stored = store.records("first")
        console = Console(file=io.StringIO(), width=200)
        console.print(_display(store, run, store.summaries("first"), "finished"))
        watched = console.file.getvalue()  # type: ignore[attr-defined]
        found = {
            "leaderboard": rank(store.summaries()).rows[0].key,
            "records": rank(stored).rows[0].key,
            "best": getattr(best(stored), "key", None),
            "report": build(store).sections[0].best.row.key,
            "page": build(store).sections[0].candidates[0].row.key,
        }
    assert set(found.values()) == {"steady"}, found
    assert "93.50 % (n=2) with 1,000 params, steady" in watched


@pytest.mark.parametrize("kind", ["records", "summaries"])
@given(
    points=st.lists(
        st.tuples(
            st.sampled_from("abcd"),
            st.integers(0, 2),
            st.sampled_from([0.1, 0.2, 0.3, None]),
            st.sampled_from([1, 2, 4]),
        ),
        max_size=12,
        unique_by=lambda point: point[:2],
    )
)
def test_the_first_row_of_a_leaderboard_is_always_the_best(
    make_record: MakeRecord, kind: str, points: list[tuple[str, int, float | None, int]]
) -> None:
    records = [
        make_record(
            key,
            seed=seed,
            val_accuracy=score,
            earlier=(0.5,) * (epochs - 1),
            purpose="revalidation" if seed else "search",
            failure="loss was nan" if score is None else None,
        )
        for key, seed, score, epochs in points
    ]
    rows = rank(records).rows
    winner = best(records) if kind == "records" else best(map(Summary.of, records))
    assert (rows[0].key if rows else None) == (winner.key if winner is not None else None)


def test_a_rung_stays_a_rung_where_the_full_trainings_were_reused(make_record: MakeRecord) -> None:
    full = make_record("full", val_accuracy=0.9, earlier=FULL, run="first")
    copy = make_record("full", val_accuracy=0.9, earlier=FULL, run="second", reused_from="first")
    short = make_record("short", val_accuracy=0.96, run="second")
    standings = ranked([full, copy, short])
    mark_front(standings)
    assert [(one.first.key, one.on_pareto_front) for one in standings] == [("full", True), ("short", False)]


def test_an_evaluation_of_more_epochs_shortens_no_other(make_record: MakeRecord) -> None:
    again = {"purpose": "evaluation", "run": "reproduce", "test_accuracy": 0.9}
    usual = make_record("usual", val_accuracy=0.99, earlier=(0.5,), **again)
    longer = make_record("longer", val_accuracy=0.98, earlier=FULL, **again)
    assert [one.first.key for one in ranked([usual, longer])] == ["usual", "longer"]


def test_a_row_is_of_the_run_that_trained_whichever_comes_first(make_record: MakeRecord, tmp_path: Path) -> None:
    source = make_record("a", run="source", val_accuracy=0.8)
    copy = make_record("a", run="copy", val_accuracy=0.8, reused_from="source")
    tested = make_record("a", run="copy", purpose="evaluation", val_accuracy=None, test_accuracy=0.7)
    with Store(tmp_path / "store.db", create=True) as store:
        for run in ("copy", "source"):
            store.create_run(run, "toy", "0123456789abcdef", {})
        for record in (copy, tested, source):
            store.append(record)
        (row,) = rank(store.summaries()).rows
        (section,) = build(store).sections
    assert (row.run, row.val_accuracy, row.test_accuracy_mean) == ("source", 0.8, 0.7)
    assert section.best.row == row


def test_what_was_reused_stays_when_its_source_cannot_be_read(make_record: MakeRecord) -> None:
    damaged = make_record("a", run="source", val_accuracy=0.9)
    other = make_record("b", run="source", val_accuracy=0.8)
    copy = make_record("a", run="copy", val_accuracy=0.9, reused_from="source")
    for known, runs in (([damaged, other, copy], ["source", "source"]), ([other, copy], ["copy", "source"])):
        assert [(one.first.key, one.first.run) for one in ranked(known)] == list(zip("ab", runs, strict=True))


def test_the_same_images_under_two_names_are_two_datasets_for_leaderboard_and_report(
    make_record: MakeRecord, tmp_path: Path
) -> None:
    records = [
        make_record("a", run="first", dataset="tiny"),
        make_record("a", run="second", dataset="copy", reused_from="first"),
    ]
    with Store(tmp_path / "store.db", create=True) as store:
        store.create_run("first", "tiny", "0123456789abcdef", {})
        store.create_run("second", "copy", "0123456789abcdef", {})
        for record in records:
            store.append(record)
        assert [(row.dataset, row.run) for row in rank(store.summaries()).rows] == [
            ("tiny", "first"),
            ("copy", "second"),
        ]
        assert [section.dataset for section in build(store).sections] == ["tiny", "copy"]


# Objectives


def by(objective: str, direction: str = "max") -> dict[str, str]:
    return {"objective": objective, "direction": direction}


@pytest.mark.parametrize(
    ("objective", "order"),
    [
        (by("accuracy"), "abc"),
        (by("balanced_accuracy"), "cab"),
        (by("macro_f1"), "bca"),
        (by("mine:Cost", "min"), "bac"),
    ],
)
def test_the_objective_decides_and_among_equals_the_smaller_is_first(
    make_record: MakeRecord, objective: dict[str, str], order: str
) -> None:
    points = {
        "a": (0.97, {"balanced_accuracy": 0.6, "macro_f1": 0.5, "mine:Cost": 3.0}, 300),
        "b": (0.96, {"balanced_accuracy": 0.5, "macro_f1": 0.7, "mine:Cost": 2.0}, 200),
        "c": (0.95, {"balanced_accuracy": 0.7, "macro_f1": 0.6, "mine:Cost": 3.0}, 900),
    }
    records = [
        make_record(key, val_accuracy=accuracy, metrics=metrics, params=params, **objective)
        for key, (accuracy, metrics, params) in points.items()
    ]
    for given_as in (records, [Summary.of(record) for record in records]):
        standings = ranked(given_as)
        assert "".join(one.first.key for one in standings) == order
        assert standings[0].metric == objective["objective"]
        mark_front(standings)
        front = {one.first.key for one in standings if one.on_pareto_front}
        assert order[0] in front
        # The largest is on the front only where it is the best.
        assert ("c" in front) == (order[0] == "c")
    rows = rank(records).rows
    assert [row.val_metric for row in rows] == [
        record.value for key in order for record in records if record.key == key
    ]
    assert [row.val_accuracy for row in rows] == [points[key][0] for key in order]


def test_shortened_trainings_come_last_by_any_objective(make_record: MakeRecord) -> None:
    short = make_record("short", val_accuracy=0.5, metrics={"macro_f1": 0.9}, **by("macro_f1"))
    full = make_record("full", val_accuracy=0.9, earlier=FULL, metrics={"macro_f1": 0.2}, **by("macro_f1"))
    assert [one.first.key for one in ranked([short, full])] == ["full", "short"]


def test_means_are_over_the_trainings_of_which_the_value_is_known(make_record: MakeRecord) -> None:
    known = make_record("a", val_accuracy=0.9, metrics={"macro_f1": 0.4}, **by("macro_f1"))
    again = {"purpose": "revalidation", "seed": 1, **by("macro_f1")}
    unknown = make_record("a", val_accuracy=0.7, **again)
    (standing,) = ranked([known, unknown])
    assert (standing.value, standing.val_seeds, standing.val_accuracy) == (0.4, 1, pytest.approx(0.8))
    other = make_record("a", val_accuracy=0.7, metrics={"macro_f1": 0.6}, **again)
    (standing,) = ranked([known, other])
    assert (standing.value, standing.val_seeds) == (pytest.approx(0.5), 2)
    assert best([unknown]) is None


def test_runs_with_different_objectives_are_ranked_by_accuracy_and_the_board_says_so(make_record: MakeRecord) -> None:
    records = [
        make_record("a", run="first", val_accuracy=0.9, metrics={"macro_f1": 0.1}),
        make_record("b", run="second", val_accuracy=0.8, metrics={"macro_f1": 0.9}, **by("macro_f1")),
    ]
    board = rank(records)
    assert [(row.key, row.metric, row.val_metric) for row in board.rows] == [
        ("a", "accuracy", 0.9),
        ("b", "accuracy", 0.8),
    ]
    assert board.mixed == {"toy": ("accuracy", "macro_f1")}
    board = rank([record.by("macro_f1", "max") for record in records])
    assert [row.key for row in board.rows] == ["b", "a"]
    assert board.mixed == {}


def test_a_fold_that_is_harder_puts_nobody_behind_who_was_trained_on_it(make_record: MakeRecord) -> None:
    again = {"purpose": "revalidation", "seed": 1}
    records = [
        make_record("first", val_accuracy=0.95),
        make_record("second", val_accuracy=0.94),
        make_record("third", val_accuracy=0.93),
        make_record("first", val_accuracy=0.70, **again),
        make_record("second", val_accuracy=0.74, **again),
    ]
    standings = ranked(records)
    assert [one.first.key for one in standings] == ["second", "first", "third"]
    # Both are raised by 0.225 on that fold; what is shown is what was measured.
    assert [one.level for one in standings] == pytest.approx([0.9525, 0.9375, 0.93])
    assert [one.value for one in standings] == pytest.approx([0.84, 0.825, 0.93])


def test_means_over_the_same_folds_are_ordered_as_they_are(make_record: MakeRecord) -> None:
    values = {"a": (0.90, 0.95, 0.91), "b": (0.93, 0.92, 0.92), "c": (0.91, 0.90, 0.96)}
    records = [
        make_record(key, val_accuracy=value, seed=seed, purpose="revalidation" if seed else "search")
        for key, each in values.items()
        for seed, value in enumerate(each)
    ]
    means = {key: sum(each) / 3 for key, each in values.items()}
    assert [one.first.key for one in ranked(records)] == sorted(means, key=lambda key: -means[key])


def test_folds_of_one_run_level_no_other(make_record: MakeRecord) -> None:
    records = [
        make_record("a", run="one", val_accuracy=0.9),
        make_record("a", run="one", val_accuracy=0.7, purpose="revalidation", seed=1),
        make_record("b", run="two", val_accuracy=0.85),
    ]
    assert [one.level for one in ranked(records)] == pytest.approx([0.9, 0.85])


def test_runs_that_held_out_other_images_are_compared_by_folds_of_average_difficulty(make_record: MakeRecord) -> None:
    again = {"purpose": "revalidation", "seed": 1}
    records = [
        # The fold of this search is easier than its other one by 0.04, that of the other search harder by 0.02.
        make_record("a", run="old", val_accuracy=0.97),
        make_record("b", run="old", val_accuracy=0.96),
        make_record("a", run="old", val_accuracy=0.93, **again),
        make_record("c", run="new", val_accuracy=0.95),
        make_record("d", run="new", val_accuracy=0.94),
        make_record("c", run="new", val_accuracy=0.97, **again),
    ]
    assert [one.first.key for one in ranked(records)] == ["a", "b", "c", "d"]
    standings = ranked(records, {"old": "the last tenth", "new": "a stratified tenth"})
    assert [one.first.key for one in standings] == ["c", "a", "d", "b"]
    assert [one.level for one in standings] == pytest.approx([0.96, 0.95, 0.95, 0.94])
    assert [one.first.key for one in ranked(records, {"old": "a tenth", "new": "a tenth"})] == ["a", "b", "c", "d"]
    board = rank(records, splits={"old": "the last tenth", "new": "a stratified tenth"})
    assert [row.key for row in board.rows] == ["c", "a", "d", "b"]


def test_a_run_without_revalidations_counts_as_those_of_its_split_that_have_some(make_record: MakeRecord) -> None:
    again = {"purpose": "revalidation", "seed": 1}
    splits = {"old": "the last tenth", "older": "the last tenth", "new": "a stratified tenth"}
    records = [
        make_record("a", run="old", val_accuracy=0.97),
        make_record("a", run="old", val_accuracy=0.93, **again),
        make_record("b", run="older", val_accuracy=0.96),
        make_record("c", run="new", val_accuracy=0.95),
    ]
    # Nothing is known of the folds of the new run: all stays as it was.
    assert [one.level for one in ranked(records, splits)] == [one.level for one in ranked(records)]
    records.append(make_record("c", run="new", val_accuracy=0.95, **again))
    levels = {one.first.key: one.level for one in ranked(records, splits)}
    assert levels == pytest.approx({"a": 0.95, "b": 0.94, "c": 0.95})


def test_below_each_budget_stands_the_best_of_all_that_are_smaller(make_record: MakeRecord) -> None:
    records = [
        make_record("a", params=900, val_accuracy=0.95),
        make_record("b", params=1_000, val_accuracy=0.97),
        make_record("c", params=2_500, val_accuracy=0.96),
        make_record("d", params=2_600, val_accuracy=0.98, failure="nan"),
    ]
    found = best_below(records, (800, 1_000, 3_000))
    assert {budget: one.first.key for budget, one in found.items()} == {1_000: "a", 3_000: "b"}
