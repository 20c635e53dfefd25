"""What is said of how long a run takes, before it begins and as its trainings show it."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable

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


def of(make_record: MakeRecord, key: str, epochs: int, seconds: float = 6.0) -> Record:
    """Make a record of some epochs that took some seconds each."""
    record = make_record(key, train_seconds=epochs * seconds)
    curve = tuple(Epoch(0.5, 0.8, 0.1, 0.9, 0.1, seconds * number) for number in range(1, epochs + 1))
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
    assert expected(over) == "nothing is left to train"


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


@pytest.mark.parametrize("useless", [{"failure": "out of memory"}, {"reused_from": "elsewhere"}])
def test_what_failed_or_was_reused_says_nothing(make_record: MakeRecord, useless: dict[str, str]) -> None:
    estimate = Estimate(FORECAST)
    estimate.finish(make_record("a" * 12, earlier=(0.1, 0.2), **useless))
    assert estimate.news() is None
    assert estimate.later is None


def test_what_was_known_before_is_not_said_again_but_corrected_by_what_is_trained(make_record: MakeRecord) -> None:
    estimate = Estimate(dataclasses.replace(FORECAST, pace=PACE))
    before = estimate.later
    estimate.finish(of(make_record, "a" * 12, 10, seconds=12.0))
    assert estimate.news() is None
    # Five trainings one after another, each sixty seconds longer.
    assert estimate.later == pytest.approx((before or 0) + 5 * 60)


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


def test_the_time_left_has_what_follows_the_search(make_record: MakeRecord) -> None:
    progress = TrainingProgress(Console(file=io.StringIO()), total=9, epochs=2, workers=1)
    progress.start("first")
    progress.finish(make_record("aaa", train_seconds=60.0))
    progress.later = 240.0
    assert progress._left() == "about 8m 00s left, 12m 00s with all that follows"
