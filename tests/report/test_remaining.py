"""What is said of how long a run takes, before it begins and as its trainings show it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from itertools import pairwise

import pytest
from rich.console import Console

from tinysearch.report.display import Display
from tinysearch.report.progress import TrainingProgress
from tinysearch.report.remaining import Estimate, expected
from tinysearch.results.callback import Stage
from tinysearch.results.forecast import OVERHEAD_MACS, SETUP, Forecast, Pace
from tinysearch.results.record import Epoch, Record
from tinysearch.results.training import Training

MakeRecord = Callable[..., Record]
MACS = 1_000_000 - OVERHEAD_MACS
# A training takes 65 seconds: 5 to begin, and 10 epochs of 6.
PACE = Pace(speed=1e8 / 6, setup=SETUP)
FORECAST = Forecast(100, 10, (), 20, MACS, 10, 3, 3, 2)


def training_of(record: Record) -> Training:
    names = ("run", "key", "name", "origin", "purpose", "seed", "architecture", "cost", "recipe", "trial")
    return Training(**{name: getattr(record, name) for name in names})


def of(make_record: MakeRecord, key: str, epochs: int, seconds: float = 6.0, accuracy: float = 0.9) -> Record:
    """Make a record of some epochs that took some seconds each."""
    record = make_record(key, train_seconds=epochs * seconds)
    curve = tuple(Epoch(0.5, 0.8, 0.1, accuracy, 0.1, seconds * number) for number in range(1, epochs + 1))
    measurement = dataclasses.replace(record.measurement, curve=curve)
    return dataclasses.replace(record, measurement=measurement, cost=dataclasses.replace(record.cost, macs=MACS))


def test_with_a_known_pace_one_time_is_said_with_all_that_follows() -> None:
    said = expected(dataclasses.replace(FORECAST, pace=PACE))
    # The start 10 s, 20 trainings two at a time 666, 6 of 10 revalidations in 3 rounds 195, 3 evaluations 130.
    assert said == "about 17m 00s, including up to 10 revalidations and 3 evaluations"


def test_without_one_a_range_is_said_and_why() -> None:
    said = expected(FORECAST)
    assert said.startswith("roughly ")
    assert " to " in said
    assert "including up to 10 revalidations and 3 evaluations" in said
    assert "a better estimate follows the first epochs" in said


def test_a_range_that_is_none_is_one_figure() -> None:
    small = dataclasses.replace(FORECAST, images=1, macs=0)
    assert expected(dataclasses.replace(small, revalidations=0)).startswith("roughly 1m 10s, including")


def test_of_a_gpu_that_has_trained_nothing_no_figure_is_said() -> None:
    said = expected(dataclasses.replace(FORECAST, accelerated=True))
    assert said == "an estimate follows the first epochs"


def test_a_time_limit_is_said() -> None:
    assert expected(dataclasses.replace(FORECAST, pace=PACE, limit=1800)).endswith("; stopped after 30m 00s")


def test_one_of_each_is_said_in_the_singular_and_none_is_left_out() -> None:
    assert "including up to 1 revalidation and 1 evaluation" in expected(
        dataclasses.replace(FORECAST, pace=PACE, revalidations=1, evaluations=1)
    )
    assert "including" not in expected(dataclasses.replace(FORECAST, pace=PACE, revalidations=0, evaluations=0))


def test_a_run_that_is_over_has_nothing_left() -> None:
    over = dataclasses.replace(FORECAST, trials=0, revalidations=0, evaluations=0)
    assert expected(over).startswith("nothing is left to train: all results are in the store")


def test_the_first_epochs_of_all_that_are_under_way_say_how_long_it_takes_once(make_record: MakeRecord) -> None:
    estimate = Estimate(FORECAST)
    first, second = of(make_record, "a" * 12, 10), of(make_record, "b" * 12, 10)
    estimate.begin(training_of(first))
    estimate.begin(training_of(second))
    for epoch in first.measurement.curve[:5]:
        estimate.epoch(training_of(first), epoch)
    assert estimate.news() is None
    for epoch in second.measurement.curve[:4]:
        estimate.epoch(training_of(second), epoch)
    assert estimate.news() == "the run will take about 17m 00s, including up to 10 revalidations and 3 evaluations"
    assert estimate.news() is None


def test_a_training_that_is_over_says_it_too(make_record: MakeRecord) -> None:
    estimate = Estimate(FORECAST)
    estimate.finish(of(make_record, "a" * 12, 10))
    assert "about 17m 00s" in (estimate.news() or "")


def test_it_is_of_candidates_as_large_as_those_that_were_trained(make_record: MakeRecord) -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, macs=50 * MACS, revalidations=0, evaluations=0))
    estimate.finish(of(make_record, "a" * 12, 10))
    # 20 of 65 seconds, two at a time, and the start.
    assert estimate.news() == "the run will take about 11m 00s"


@pytest.mark.parametrize("useless", [{"failure": "out of memory"}, {"reused_from": "elsewhere"}])
def test_what_failed_or_was_reused_says_nothing(make_record: MakeRecord, useless: dict[str, str]) -> None:
    estimate = Estimate(FORECAST)
    estimate.finish(make_record("a" * 12, earlier=(0.1, 0.2), **useless))
    assert estimate.news() is None
    assert estimate.left is None


def test_what_was_known_before_is_not_said_again_but_corrected_by_what_is_trained(make_record: MakeRecord) -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, pace=PACE))
    assert estimate.left == pytest.approx(FORECAST.search_seconds(PACE) + FORECAST.later_seconds(PACE, MACS))
    estimate.finish(of(make_record, "a" * 12, 10, seconds=12.0))
    assert estimate.news() is None
    slow = Pace(PACE.speed / 2, SETUP)
    rest = dataclasses.replace(FORECAST, trials=19)
    assert estimate.left == pytest.approx(rest.search_seconds(slow) + rest.later_seconds(slow, MACS))


def test_where_no_bar_corrects_it_it_is_said_once_after_the_first_trainings(make_record: MakeRecord) -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, pace=PACE))
    said = []
    for letter in "abcdef":
        estimate.finish(of(make_record, letter * 12, 10, seconds=12.0))
        said.append(estimate.news(bar=False))
    # There are two workers.
    assert [one is not None for one in said] == [False, False, True, False, False, False]


def test_what_a_run_with_nothing_before_it_takes_is_said_once_without_a_bar_too(make_record: MakeRecord) -> None:
    estimate = Estimate(FORECAST)
    said = []
    for letter in "abcdef":
        estimate.finish(of(make_record, letter * 12, 10))
        said.append(estimate.news(bar=False))
    assert [one is not None for one in said] == [True, False, False, False, False, False]


@pytest.mark.parametrize("bar", [True, False])
def test_once_a_candidate_is_perfect_it_is_said_again_without_revalidations(make_record: MakeRecord, bar: bool) -> None:
    estimate = Estimate(FORECAST)
    said = []
    for letter in "abcdef":
        estimate.finish(of(make_record, letter * 12, 10, accuracy=1.0 if letter in "bd" else 0.9))
        said.append(estimate.news(bar=bar))
    # The pace is that of more trainings than there are workers.
    assert [one is not None for one in said] == [True, False, True, False, False, False]
    assert said[0] == "the run will take about 17m 00s, including up to 10 revalidations and 3 evaluations"
    assert (said[2] or "").startswith("the run will take about 12m 00s, including 3 evaluations; no revalidations")


def test_a_first_candidate_that_is_perfect_is_said_once(make_record: MakeRecord) -> None:
    estimate = Estimate(FORECAST)
    said = []
    for letter in "abcd":
        estimate.finish(of(make_record, letter * 12, 10, accuracy=1.0))
        said.append(estimate.news())
    assert [one is not None for one in said] == [True, False, False, False]
    assert "no revalidations are expected" in (said[0] or "")


def stage_of(name: str, total: int) -> Stage:
    return Stage(name, "mine", total, 10, workers=2)


def retrained(record: Record, purpose: str) -> Record:
    return dataclasses.replace(record, purpose=purpose)  # type: ignore[arg-type]


def test_the_time_left_is_that_of_the_whole_run_through_all_its_stages(make_record: MakeRecord) -> None:
    """Of trainings that are all alike, each takes what its share is, down to nothing at the end."""
    estimate = Estimate(dataclasses.replace(FORECAST, pace=PACE, workers=1))
    left = [estimate.left or 0.0]

    def train(count: int, purpose: str = "search") -> None:
        for _ in range(count):
            record = of(make_record, f"{len(left):012x}", 10)
            done = dataclasses.replace(record.measurement, train_seconds=65.0)
            estimate.finish(retrained(dataclasses.replace(record, measurement=done), purpose))
            left.append(estimate.left or 0.0)

    train(20)
    # Six revalidations are expected, and three evaluations.
    assert left[0] == pytest.approx(29 * 65, rel=0.01)
    assert left[-1] == pytest.approx(9 * 65, rel=0.01)
    for count in (2, 2, 2):
        estimate.enter(stage_of("revalidation", count))
        train(count, "revalidation")
    assert left[-1] == pytest.approx(3 * 65, rel=0.01)
    estimate.enter(stage_of("evaluation", 3))
    train(3, "evaluation")
    assert left[-1] == 0
    steps = [before - after for before, after in pairwise(left)]
    assert steps == pytest.approx([65] * 29, rel=0.05)


def test_a_race_that_ends_early_or_late_is_taken_as_it_comes(make_record: MakeRecord) -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, pace=PACE, workers=1, trials=0))
    estimate.enter(stage_of("revalidation", 9))
    # More than expected: none is expected after them.
    assert estimate.left == pytest.approx((9 + 3) * 65)
    estimate.enter(stage_of("evaluation", 3))
    assert estimate.left == pytest.approx(3 * 65)


def test_once_a_candidate_is_perfect_no_revalidation_is_expected(make_record: MakeRecord) -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, workers=1, trials=2))
    record = of(make_record, "a" * 12, 10)
    *before, last = record.measurement.curve
    measurement = dataclasses.replace(record.measurement, curve=(*before, dataclasses.replace(last, val_accuracy=1.0)))
    estimate.finish(dataclasses.replace(record, measurement=measurement))
    assert estimate.left == pytest.approx((1 + 3) * 65)
    assert ", including 3 evaluations; no revalidations are expected" in (estimate.news() or "")


def test_epochs_of_what_is_under_way_count_and_baselines_by_their_own_size(make_record: MakeRecord) -> None:
    big = 10 * MACS
    forecast = dataclasses.replace(FORECAST, pace=PACE, workers=1, known=(big,), trials=1, revalidations=0)
    estimate = Estimate(dataclasses.replace(forecast, evaluations=0))
    record = of(make_record, "a" * 12, 10)
    baseline = dataclasses.replace(record, origin="baseline", cost=dataclasses.replace(record.cost, macs=big))
    before = estimate.left or 0.0
    assert before == pytest.approx(PACE.seconds(big, 100, 10) + 65)
    estimate.begin(training_of(baseline))
    for epoch in baseline.measurement.curve[:3]:
        estimate.epoch(training_of(baseline), epoch)
    spent = baseline.measurement.curve[2].seconds
    # Its epochs say how fast the machine is.
    pace = estimate.pace
    assert pace is not None
    assert estimate.left == pytest.approx(pace.seconds(big, 100, 10) + pace.seconds(MACS, 100, 10) - spent)
    estimate.finish(dataclasses.replace(baseline, reused_from="elsewhere"))
    assert estimate.left == pytest.approx(65)


def test_no_more_is_left_than_the_time_limit_leaves() -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, pace=PACE, limit=100.0))
    assert estimate.left is not None
    assert estimate.left <= 100


def test_that_the_first_trainings_of_the_workers_begin_slowly_does_not_count(make_record: MakeRecord) -> None:
    estimate = Estimate(FORECAST)
    slow = [of(make_record, letter * 12, 10) for letter in "abc"]
    slow = [
        dataclasses.replace(one, measurement=dataclasses.replace(one.measurement, train_seconds=90.0)) for one in slow
    ]
    setups = []
    for record in slow:
        estimate.finish(record)
        assert estimate.pace is not None
        setups.append(estimate.pace.setup)
    # There are two workers.
    assert setups == [SETUP, SETUP, 30.0]


def test_the_display_says_it_in_the_plan_and_then_as_soon_as_it_is_known(make_record: MakeRecord) -> None:
    file = io.StringIO()
    display = Display(Console(file=file, width=200))
    display.on_stage_start(Stage("search", "mine", 20, 10, workers=2, plan=[("run", "mine")], forecast=FORECAST))
    record = of(make_record, "a" * 12, 10)
    display.on_trial_start(training_of(record))
    for number, epoch in enumerate(record.measurement.curve, start=1):
        display.on_epoch(training_of(record), number, epoch)
    display.on_record(training_of(record), record, {})
    text = file.getvalue()
    assert "time  roughly" in text
    assert text.count("the run will take about 17m 00s") == 1


def test_a_bar_counts_down_what_is_left_of_the_whole_run(
    make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [1_000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    progress = TrainingProgress(Console(file=io.StringIO()), total=9, epochs=2, workers=1)
    progress.start("first")
    progress.finish(make_record("aaa", train_seconds=60.0))
    assert progress._left() == "about 8m 00s left"
    progress.expect(1_200.0)
    assert progress._left() == "about 20m 00s left in all"
    now[0] += 600
    assert progress._left() == "about 10m 00s left in all"
    # Of these trainings alone nothing is said where more follows.
    progress.expect(None)
    assert not progress._left()


def test_the_display_goes_on_with_its_estimate_after_the_search(
    make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[float | None] = []
    monkeypatch.setattr(TrainingProgress, "expect", lambda self, left: told.append(left))
    display = Display(Console(file=io.StringIO(), width=200))
    search = Stage("search", "mine", 20, 10, workers=2, forecast=dataclasses.replace(FORECAST, pace=PACE))
    again, reproduction = stage_of("evaluation", 3), stage_of("reproduction", 3)
    for stage in (search, again, reproduction, again):
        display.on_stage_start(stage)
        display.on_stage_end(stage)
    whole, evaluation = told
    assert whole is not None
    # Two at a time.
    assert evaluation == pytest.approx(2 * 65)
