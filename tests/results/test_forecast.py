"""How long a run takes, by arithmetic."""

from __future__ import annotations

import dataclasses

import pytest

from tinysearch.results.forecast import OVERHEAD_MACS, REVALIDATED, START_SECONDS, Forecast, Pace, Timing
from tinysearch.results.record import Epoch, Measurement

# A network that costs as much as all else of an image: one million MACs an image and epoch.
MACS = 1_000_000 - OVERHEAD_MACS
PACE = Pace(speed=1e8, setup=2.0)
RUN = Forecast(100, 8, (), 10, MACS, 0, 3, 0, 1, pace=PACE)


def timing(*seconds: float, total: float = 0.0, macs: int = MACS) -> Timing:
    curve = tuple(Epoch(0.5, 0.5, None, None, 0.1, one) for one in seconds)
    return Timing(macs, 100, Measurement(curve, total))


def test_a_training_takes_its_setup_and_the_work_of_its_epochs() -> None:
    assert PACE.seconds(MACS, 100, 8) == pytest.approx(2 + 8)


def test_the_pace_is_that_of_the_epochs_after_the_first_and_the_rest_is_setup() -> None:
    found = Pace.of([timing(4, 5, 6, 7, total=8.5), timing(3, 5, 7, 9, total=9.0)])
    assert found is not None
    # Two networks of a hundred million MACs an epoch, in one second and in two.
    assert found.speed == pytest.approx(2e8 / 3)
    assert found.setup == pytest.approx((4.5 + 1.0) / 2)


def test_a_training_that_goes_on_has_its_setup_from_the_first_epoch() -> None:
    found = Pace.of([timing(4, 5, 6)])
    assert found == Pace(pytest.approx(1e8), pytest.approx(3.0))  # type: ignore[arg-type]


@pytest.mark.parametrize("timings", [[], [timing(4)], [timing(4, 4, total=5)], [timing()]])
def test_without_two_epochs_there_is_no_pace(timings: list[Timing]) -> None:
    assert Pace.of(timings) is None


def test_a_run_takes_the_trainings_one_after_another() -> None:
    assert RUN.seconds(PACE) == pytest.approx(START_SECONDS + 10 * 10)


def test_baselines_count_with_their_own_size() -> None:
    with_baselines = dataclasses.replace(RUN, known=(MACS + 1_000_000, MACS))
    assert with_baselines.search_seconds(PACE) == pytest.approx(10 * 10 + (2 + 16) + (2 + 8))


def test_workers_share_the_search_and_wait_for_the_last_of_them() -> None:
    two = dataclasses.replace(RUN, workers=2)
    assert two.search_seconds(PACE) == pytest.approx(100 / 2 + 10 / 4)
    many = dataclasses.replace(RUN, workers=50)
    assert many.search_seconds(PACE) == pytest.approx(10)


def test_evaluations_take_a_round_for_each_time_the_workers_are_full() -> None:
    three = dataclasses.replace(RUN, evaluations=3, workers=2)
    assert three.later_seconds(PACE, MACS) == pytest.approx(2 * 10)


@pytest.mark.parametrize(("most", "rounds"), [(10, 3), (4, 1), (1, 1)])
def test_revalidations_count_as_many_as_are_carried_out_on_average(most: int, rounds: int) -> None:
    some = dataclasses.replace(RUN, revalidations=most)
    in_each = max(1, REVALIDATED * most / rounds)
    assert some.later_seconds(PACE, MACS) == pytest.approx(
        rounds * in_each * 10 if REVALIDATED * most > 1 else REVALIDATED * most * 10
    )


def test_where_no_revalidation_and_no_evaluation_follows_nothing_is_added() -> None:
    assert RUN.later_seconds(PACE, MACS) == 0


def test_larger_leaders_take_longer() -> None:
    more = dataclasses.replace(RUN, evaluations=1)
    assert more.later_seconds(PACE, 2 * MACS + OVERHEAD_MACS) > more.later_seconds(PACE, MACS)


def test_of_an_unknown_machine_there_is_a_range_and_of_a_gpu_nothing() -> None:
    bounds = RUN.bounds()
    assert bounds is not None
    assert bounds[0] < bounds[1]
    assert dataclasses.replace(RUN, accelerated=True).bounds() is None


def test_a_range_begins_without_revalidations_and_ends_with_as_many_as_are_usual() -> None:
    more = dataclasses.replace(RUN, revalidations=10)
    least, most = RUN.bounds(), more.bounds()
    assert least is not None
    assert most is not None
    assert most[0] == least[0]
    assert most[1] > least[1]
