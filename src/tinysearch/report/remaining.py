"""Estimates of the duration of a run, in words, refined while it runs."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass, replace

from tinysearch.report import figures
from tinysearch.results.callback import Stage
from tinysearch.results.forecast import SETUP, Forecast, Pace, Timing, is_perfect
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.results.training import Training

# Number of epochs of each running training that are needed for an estimate.
_ENOUGH = 4


def expected(forecast: Forecast) -> str:
    """Return in words how long a run takes, as far as it is known before the start."""
    if not forecast.known and not forecast.trials and not forecast.revalidations and not forecast.evaluations:
        return "nothing is left to train: all results are in the store; increase `trials=` to continue the search"
    parts = _included(forecast)
    limit = "" if forecast.limit is None else f"; stopped after {figures.duration(forecast.limit)}"
    if forecast.pace is not None:
        return f"about {figures.rough(forecast.seconds(forecast.pace))}{parts}{limit}"
    bounds = forecast.bounds()
    if bounds is None:
        return f"an estimate follows the first epochs{limit}"
    between = " to ".join(dict.fromkeys(map(figures.rough, bounds)))
    return f"roughly {between}{parts}; a better estimate follows the first epochs{limit}"


@dataclass
class _Running:
    """A running training."""

    macs: int
    curve: tuple[Epoch, ...] = ()


class Estimate:
    """Estimate of the duration of a run, updated from the trainings of its search.

    Args:
        forecast: The forecast from before the start.
        done: MACs of the candidates of the search that were trained before the start.
    """

    def __init__(self, forecast: Forecast, done: tuple[int, ...] = ()) -> None:
        self._forecast = forecast
        self._macs = list(done)
        self._timings: list[Timing] = []
        self._running: dict[tuple[str, int, str], _Running] = {}
        self._told = forecast.pace is not None
        self._corrected = False
        self._perfect = False
        self._began = time.monotonic()
        # Remaining trainings of the search, and of the current stage after it.
        self._known = list(forecast.known)
        self._trials = forecast.trials
        self._stage, self._here = "search", 0
        self._revalidated = self._rounds = 0

    def enter(self, stage: Stage) -> None:
        """Record that a round of revalidations or the evaluation starts."""
        self._stage, self._here = stage.name, stage.total - stage.done
        self._rounds += stage.name == "revalidation"
        self._running.clear()

    @property
    def pace(self) -> Pace | None:
        """Speed of the trainings: of those of this run, or else of earlier ones; None if not known."""
        images = self._forecast.images
        running = [Timing(one.macs, images, Measurement(one.curve)) for one in self._running.values()]
        before, pace = self._forecast.pace, Pace.of(self._timings or running)
        if pace is None:
            return before
        if len(self._timings) > self._forecast.workers:
            return pace
        # The first training of each worker process takes longer to start than later ones.
        return replace(pace, setup=SETUP if before is None else before.setup)

    @property
    def left(self) -> float | None:
        """Seconds until the end of the run, revalidation and evaluation included; None if not known yet."""
        pace, before = self.pace, self._forecast
        if pace is None:
            return None
        macs = self._mean_macs
        seconds = before.evaluation_seconds(pace, macs, before.evaluations)
        if self._stage == "search":
            rest = replace(before, known=tuple(self._known), trials=self._trials, macs=macs)
            seconds = rest.search_seconds(pace) + rest.later_seconds(pace, macs)
        elif self._stage == "revalidation":
            more = before.revalidated * before.revalidations - self._revalidated - self._here
            seconds += before.rounds_seconds(pace, macs, self._here, 1)
            seconds += before.rounds_seconds(pace, macs, more, before.rounds - self._rounds)
        else:
            seconds = before.evaluation_seconds(pace, macs, self._here)
        spent = sum(one.curve[-1].seconds for one in self._running.values() if one.curve)
        left = max(0.0, seconds - spent / before.workers)
        return left if before.limit is None else min(left, max(0.0, before.limit - time.monotonic() + self._began))

    def begin(self, training: Training) -> None:
        """Record that a training starts."""
        self._running[training.identity] = _Running(training.cost.macs)

    def epoch(self, training: Training, epoch: Epoch) -> None:
        """Record an epoch of a running training."""
        running = self._running[training.identity]
        running.curve = (*running.curve, epoch)

    def finish(self, record: Record) -> None:
        """Record a result."""
        self._running.pop(record.identity, None)
        if record.purpose != "search":
            self._here = max(0, self._here - 1)
            self._revalidated += record.purpose == "revalidation"
        elif record.origin == "search":
            self._trials = max(0, self._trials - 1)
        elif record.cost.macs in self._known:
            self._known.remove(record.cost.macs)
        if record.failed or record.reused_from is not None:
            return
        if record.origin == "search" and record.purpose == "search":
            self._macs.append(record.cost.macs)
        if is_perfect(record) and self._forecast.revalidated:
            self._forecast = replace(self._forecast, revalidated=0.0)
            self._perfect = self._forecast.revalidations > 0
        self._timings.append(Timing(record.cost.macs, self._forecast.images, record.measurement))

    def news(self, *, bar: bool = True) -> str | None:
        """Return a message on how long the run takes, or None if there is nothing new.

        The message comes once, as soon as the trainings show the duration, unless it was known before. It comes once
        more if a candidate classifies all validation images correctly, because then no revalidations are expected.

        Args:
            bar: Whether a bar shows the remaining time. If not, a known duration is also corrected once, after the
                first trainings.
        """
        pace = self.pace
        if pace is None or self._stage != "search":
            return None
        if self._told:
            corrected = self._corrected or bar
            if (corrected and not self._perfect) or len(self._timings) <= self._forecast.workers:
                return None
        elif not self._timings and not all(len(one.curve) >= _ENOUGH for one in self._running.values()):
            return None
        why = ""
        if self._perfect:
            why = "; no revalidations are expected, because a candidate classifies all validation images correctly"
        self._corrected, self._told, self._perfect = True, True, False
        whole = replace(self._forecast, macs=self._mean_macs)
        return f"the run will take about {figures.rough(whole.seconds(pace))}{_included(whole)}{why}"

    @property
    def _mean_macs(self) -> float:
        """Mean MACs of a candidate of the search; before the first one, those of the forecast."""
        return statistics.fmean(self._macs) if self._macs else self._forecast.macs


def _included(forecast: Forecast) -> str:
    """Return the numbers of revalidations and evaluations, as the end of a sentence."""
    parts = [
        f"{most}{figures.counted(count, word)}"
        for most, count, word in (
            ("up to ", forecast.revalidations if forecast.revalidated else 0, "revalidation"),
            ("", forecast.evaluations, "evaluation"),
        )
        if count
    ]
    return f", including {' and '.join(parts)}" if parts else ""
