from __future__ import annotations

from collections.abc import Callable

from tinysearch.report.plots import accuracy_over_params, page
from tinysearch.results.leaderboard import rank
from tinysearch.results.record import Record


def test_candidates_baselines_front_and_test_figures_are_told_apart(make_record: Callable[..., Record]) -> None:
    records = [
        make_record("a", val_accuracy=0.9, params=1_000),
        make_record("b", val_accuracy=0.8, params=2_000),
        make_record("c", val_accuracy=0.95, params=3_000, name="baseline:conv", origin="baseline"),
        *(
            make_record("a", purpose="evaluation", trial=None, seed=seed, test_accuracy=score, params=1_000)
            for seed, score in enumerate((0.7, 0.9))
        ),
        make_record("d", dataset="other", fingerprint="f" * 16),
    ]
    figure = accuracy_over_params(rank(records), "toy")
    candidates, baselines, front, tested = figure.data
    assert (list(candidates.x), list(candidates.y)) == ([1_000, 2_000], [90.0, 80.0])
    assert (list(baselines.x), list(baselines.y)) == ([3_000], [95.0])
    assert list(front.x) == [1_000, 3_000]
    assert (list(tested.x), list(tested.y)) == ([1_000], [80.0])
    assert round(tested.error_y.array[0], 6) == 14.142136


def test_what_users_name_is_escaped(make_record: Callable[..., Record]) -> None:
    evil = "<script>alert(1)</script>"
    text = page(accuracy_over_params(rank([make_record(name=evil, dataset=evil)]), evil))
    assert "alert(1)" in text
    assert evil not in text


def test_nothing_to_plot_is_a_page_too() -> None:
    assert "<html>" in page(accuracy_over_params(rank([]), "mnist"))
