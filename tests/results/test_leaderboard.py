from __future__ import annotations

import random
import statistics
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinysearch.errors import InputError
from tinysearch.results.leaderboard import SORTS, Leaderboard, rank
from tinysearch.results.ranking import best, ranked
from tinysearch.results.record import Record
from tinysearch.space.notation import notation

MakeRecord = Callable[..., Record]


def keys(board: Leaderboard) -> list[str]:
    return [row.key for row in board.rows]


# Ranking


def test_the_last_epoch_decides_and_not_the_best(make_record: MakeRecord) -> None:
    board = rank(
        [
            make_record("peaked", earlier=(0.99,), val_accuracy=0.5),
            make_record("steady", earlier=(0.5,), val_accuracy=0.6),
        ]
    )
    assert keys(board) == ["steady", "peaked"]
    assert [row.rank for row in board.rows] == [1, 2]
    assert [row.val_accuracy for row in board.rows] == [0.6, 0.5]


def test_of_a_long_board_the_best_and_the_documented_models_are_kept(make_record: MakeRecord) -> None:
    found = [make_record(str(index), val_accuracy=index / 10, params=100 + index) for index in range(8)]
    known = [make_record("known", name="baseline:conv", origin="baseline", val_accuracy=0.05)]
    board = rank([*found, *known], top=3)
    assert [(row.key, row.rank) for row in board.rows] == [("7", 1), ("6", 2), ("5", 3), ("known", 8)]
    assert board.hidden_rows == 5
    assert keys(rank([*found, *known], top=2, sort="params")) == ["0", "1", "known"]
    assert rank(found, top=20).hidden_rows == 0


def test_of_equals_the_smaller_comes_first(make_record: MakeRecord) -> None:
    board = rank([make_record("large", params=900), make_record("small", params=100)])
    assert keys(board) == ["small", "large"]


def test_no_record_gives_an_empty_board() -> None:
    board = rank([])
    assert (board.rows, board.failed, board.datasets) == ((), 0, ())


def test_datasets_are_ranked_apart(make_record: MakeRecord) -> None:
    board = rank(
        [
            make_record("a", val_accuracy=0.7, dataset="digits", fingerprint="1" * 16),
            make_record("b", val_accuracy=0.9, dataset="mnist", fingerprint="2" * 16, run="second"),
            make_record("c", val_accuracy=0.8, dataset="digits", fingerprint="1" * 16),
        ]
    )
    assert board.datasets == ("digits", "mnist")
    assert [(row.key, row.rank) for row in board.of("digits")] == [("c", 1), ("a", 2)]
    assert [(row.key, row.rank) for row in board.of("mnist")] == [("b", 1)]
    assert [row.on_pareto_front for row in board.of("mnist")] == [True]


def test_datasets_of_one_name_with_different_images_are_kept_apart(make_record: MakeRecord) -> None:
    board = rank(
        [
            make_record("a", dataset="mine", fingerprint="1" * 16),
            make_record("b", dataset="mine", fingerprint="2" * 16, run="second"),
        ]
    )
    assert len(board.datasets) == 2
    assert all(name.startswith("mine") for name in board.datasets)
    assert [row.rank for row in board.rows] == [1, 1]


def test_failed_trainings_are_counted_and_not_ranked(make_record: MakeRecord) -> None:
    board = rank([make_record("a"), make_record("b", failure="loss was nan"), make_record("c", failure="memory")])
    assert keys(board) == ["a"]
    assert board.failed == 2


def test_the_same_candidate_in_two_runs_is_two_rows(make_record: MakeRecord) -> None:
    board = rank([make_record("a", run="first"), make_record("a", run="second", val_accuracy=0.95)])
    assert [(row.run, row.rank) for row in board.rows] == [("second", 1), ("first", 2)]


def test_what_was_never_validated_comes_last_and_is_on_no_front(make_record: MakeRecord) -> None:
    board = rank([make_record("a", val_accuracy=None, params=1), make_record("b", val_accuracy=0.1, params=9)])
    assert keys(board) == ["b", "a"]
    assert board.rows[1].val_accuracy is None
    assert [row.on_pareto_front for row in board.rows] == [True, False]


def test_a_row_tells_cost_origin_and_layers(make_record: MakeRecord) -> None:
    record = make_record("a", name="baseline:conv", origin="baseline", params=1_000, earlier=(0.1, 0.2), seed=4)
    board = rank([record])
    (row,) = board.rows
    assert (row.name, row.origin, row.run, row.dataset) == ("baseline:conv", "baseline", "first", "toy")
    assert (row.params, row.trainable_params, row.non_trainable_params) == (1_000, 992, 8)
    assert (row.macs, row.peak_activation_bytes) == (50_000, 3_000)
    assert (row.epochs, row.seed, row.train_seconds) == (3, 4, 2.5)
    assert (row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds) == (None, None, 0)
    assert row.layers == notation(record.architecture)


# Several seeds


def test_several_seeds_of_a_candidate_are_one_row_of_means(make_record: MakeRecord) -> None:
    tested = (0.90, 0.92, 0.97)
    board = rank(
        make_record("a", purpose="evaluation", seed=seed, val_accuracy=val, test_accuracy=test, train_seconds=seconds)
        for seed, (val, test, seconds) in enumerate(zip((0.8, 0.9, 1.0), tested, (1.0, 2.0, 6.0), strict=True))
    )
    (row,) = board.rows
    assert row.seed is None
    assert row.val_accuracy == pytest.approx(0.9)
    assert row.val_loss == pytest.approx(0.1)
    assert row.train_seconds == pytest.approx(3.0)
    assert row.test_accuracy_mean == pytest.approx(statistics.fmean(tested))
    assert row.test_accuracy_std == pytest.approx(statistics.stdev(tested))
    assert (row.val_seeds, row.test_seeds) == (3, 3)


def test_revalidations_count_in_the_mean_that_ranks(make_record: MakeRecord) -> None:
    lucky = [make_record("a", val_accuracy=0.9), make_record("a", val_accuracy=0.8, purpose="revalidation", seed=1)]
    steady = [make_record("b", val_accuracy=0.88), make_record("b", val_accuracy=0.86, purpose="revalidation", seed=1)]
    failed = make_record("b", failure="loss was nan", purpose="revalidation", seed=2)
    tested = make_record("a", val_accuracy=None, purpose="evaluation", seed=0, test_accuracy=0.99)
    records = [lucky[0], steady[0], lucky[1], steady[1], failed, tested]
    assert [(row.key, row.val_accuracy, row.val_seeds) for row in rank(records).rows] == [
        ("b", pytest.approx(0.87), 2),
        ("a", pytest.approx(0.85), 2),
    ]
    assert [one.first for one in ranked(records)] == [steady[0], lucky[0]]
    assert best(records) == steady[0]


def test_a_revalidation_that_two_runs_have_counts_once(make_record: MakeRecord) -> None:
    again = {"purpose": "revalidation", "seed": 1, "val_accuracy": 0.6}
    (row,) = rank(
        [
            make_record(val_accuracy=0.8),
            make_record(**again),
            make_record(val_accuracy=0.8, run="second", reused_from="first"),
            make_record(**again, run="second"),
        ]
    ).rows
    assert (row.val_accuracy, row.val_seeds) == (pytest.approx(0.7), 2)


def test_a_single_test_has_no_standard_deviation(make_record: MakeRecord) -> None:
    (row,) = rank([make_record(purpose="evaluation", test_accuracy=0.9, seed=2)]).rows
    assert (row.test_accuracy_mean, row.test_accuracy_std, row.test_seeds, row.seed) == (0.9, None, 1, 2)


def test_evaluations_add_test_figures_and_leave_the_score_of_the_search(make_record: MakeRecord) -> None:
    (row,) = rank(
        [
            make_record(val_accuracy=0.8, seed=0),
            make_record(val_accuracy=0.99, seed=1, purpose="evaluation", test_accuracy=0.7),
            make_record(val_accuracy=0.99, seed=2, purpose="evaluation", test_accuracy=0.9),
        ]
    ).rows
    assert (row.val_accuracy, row.val_seeds, row.seed) == (0.8, 1, 0)
    assert (row.test_accuracy_mean, row.test_seeds) == (pytest.approx(0.8), 2)


def test_a_failed_seed_does_not_count_in_the_means(make_record: MakeRecord) -> None:
    board = rank([make_record(val_accuracy=0.8), make_record(seed=1, failure="loss was nan")])
    assert [(row.val_accuracy, row.seed) for row in board.rows] == [(0.8, 0)]
    assert board.failed == 1


# The Pareto front

points = st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.3, 0.4]), st.integers(1, 5)), max_size=12)


@given(points)
def test_the_front_holds_exactly_what_nothing_dominates(
    make_record: MakeRecord, points: list[tuple[float, int]]
) -> None:
    records = [
        make_record(f"{index}", val_accuracy=accuracy, params=params) for index, (accuracy, params) in enumerate(points)
    ]
    undominated = {
        str(index)
        for index, (accuracy, params) in enumerate(points)
        if not any(
            better >= accuracy and smaller <= params and (better, smaller) != (accuracy, params)
            for better, smaller in points
        )
    }
    board = rank(records)
    assert {row.key for row in board.rows if row.on_pareto_front} == undominated
    assert set(keys(rank(records, pareto=True))) == undominated


def test_the_front_alone_keeps_the_ranks_among_all(make_record: MakeRecord) -> None:
    board = rank(
        [
            make_record("best", val_accuracy=0.9, params=500),
            make_record("beaten", val_accuracy=0.8, params=600),
            make_record("small", val_accuracy=0.7, params=100),
        ],
        pareto=True,
    )
    assert [(row.key, row.rank) for row in board.rows] == [("best", 1), ("small", 3)]


# Splits


def test_runs_that_held_out_different_images_are_told_apart(make_record: MakeRecord) -> None:
    records = [make_record("a", run="old"), make_record("b", run="new"), make_record("c", run="new")]
    assert rank(records).splits == {}
    assert rank(records, splits={"old": "the last tenth", "new": "the last tenth"}).splits == {}
    (found,) = rank(records, splits={"old": "the last tenth", "new": "a fold"}).splits.values()
    assert set(found) == {"the last tenth", "a fold"}


def test_what_was_not_validated_is_not_compared(make_record: MakeRecord) -> None:
    records = [make_record("a", run="old", val_accuracy=None, test_accuracy=0.5, purpose="evaluation")]
    records.append(make_record("b", run="new"))
    assert rank(records, splits={"old": "the last tenth", "new": "a fold"}).splits == {}


# Orders


def test_every_sort_orders_the_rows_and_leaves_the_ranks(make_record: MakeRecord) -> None:
    records = [
        make_record("a", val_accuracy=0.9, params=300, train_seconds=2.0, test_accuracy=0.7),
        make_record("b", val_accuracy=0.8, params=100, train_seconds=3.0, test_accuracy=0.9),
        make_record("c", val_accuracy=0.7, params=200, train_seconds=1.0),
    ]
    orders = {
        "rank": "abc",
        "val_accuracy": "abc",
        "val_loss": "abc",
        "test_accuracy": "bac",
        "params": "bca",
        "macs": "abc",
        "peak_activation_bytes": "abc",
        "flash_bytes": "abc",
        "train_seconds": "cab",
    }
    assert orders.keys() == SORTS.keys()
    for sort, order in orders.items():
        board = rank(records, sort=sort)
        assert keys(board) == list(order), sort
        assert {row.key: row.rank for row in board.rows} == {"a": 1, "b": 2, "c": 3}


def test_an_unknown_sort_is_an_error_that_lists_the_known_ones(make_record: MakeRecord) -> None:
    with pytest.raises(InputError, match=r"val_accuracy.*'beauty'"):
        rank([make_record()], sort="beauty")


@given(points, st.randoms(use_true_random=False))
def test_the_scores_of_the_ranks_do_not_depend_on_the_order_of_the_records(
    make_record: MakeRecord, points: list[tuple[float, int]], dice: random.Random
) -> None:
    records = [make_record(f"{index}", val_accuracy=score, params=size) for index, (score, size) in enumerate(points)]
    found = [(row.val_accuracy, row.params) for row in rank(records).rows]
    dice.shuffle(records)
    assert [(row.val_accuracy, row.params) for row in rank(records).rows] == found
    assert found == sorted(found, key=lambda row: (-(row[0] or 0), row[1]))


# The best record


def test_the_best_has_the_highest_last_accuracy_and_of_equals_the_fewest_parameters(make_record: MakeRecord) -> None:
    records = [
        make_record("peaked", earlier=(1.0,), val_accuracy=0.5),
        make_record("large", earlier=(0.1,), params=900),
        make_record("small", earlier=(0.1,), params=100),
        make_record("failed", failure="loss was nan"),
    ]
    found = best(records)
    assert found is not None
    assert found.key == "small"


def test_where_nothing_was_measured_there_is_no_best(make_record: MakeRecord) -> None:
    assert best([]) is None
    assert best([make_record(failure="loss was nan"), make_record(val_accuracy=None)]) is None


def test_what_a_run_has_taken_over_stands_with_the_run_that_trained_it(make_record: MakeRecord) -> None:
    first = make_record("a", run="first")
    copy = make_record("a", run="second", reused_from="first")
    own = make_record("b", run="second")
    assert [(row.key, row.run) for row in rank([first, copy, own]).rows] == [("a", "first"), ("b", "second")]
    assert [(row.key, row.run) for row in rank([copy, own]).rows] == [("a", "second"), ("b", "second")]
    tested = make_record("a", run="second", purpose="evaluation", test_accuracy=0.7)
    row = rank([first, copy, own, tested]).rows[0]
    assert (row.key, row.run, row.val_accuracy, row.test_accuracy_mean) == ("a", "first", 0.9, 0.7)


def test_a_seed_that_two_runs_have_evaluated_counts_once(make_record: Callable[..., Record]) -> None:
    records = [make_record("aaa", run="first"), make_record("aaa", run="second", reused_from="first")]
    for run in ("first", "second"):
        for seed, accuracy in enumerate((0.90, 0.92)):
            records.append(make_record("aaa", run=run, purpose="evaluation", seed=seed, test_accuracy=accuracy))
    (row,) = (row for row in rank(records).rows if row.run == "first")
    assert (row.test_seeds, row.test_accuracy_mean) == (2, pytest.approx(0.91))
    assert row.test_accuracy_std == pytest.approx(0.02 / 2**0.5)


def test_what_was_trained_for_fewer_epochs_is_not_the_best(make_record: Callable[..., Record]) -> None:
    whole = make_record("aaa", val_accuracy=0.8, earlier=(0.5,))
    short = make_record("bbb", val_accuracy=0.9)
    failed = make_record("ccc", failure="nan")
    assert [one.first.key for one in ranked([failed, short, whole])] == ["aaa", "bbb"]
    assert best([short, whole, failed]) == whole
