"""Data model of a report: plain values, independent of frameworks and of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinysearch.results.leaderboard import Row
from tinysearch.results.record import ACCURACY, Direction


@dataclass(frozen=True, slots=True)
class Mistake:
    """A misclassified test image.

    Args:
        index: Its index in the test set.
        label, predicted: Its class, and the most frequent wrong prediction.
        times: Number of trainings that misclassified it.
        pixels: Its first channel, one byte per pixel, in base64; empty if the images are not available.
    """

    index: int
    label: int
    predicted: int
    times: int
    pixels: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """Results of the evaluations of one candidate.

    Args:
        accuracies: Test accuracies by seed, fractions.
        confusion: Confusion matrix over all seeds, with true classes as rows and predicted classes as columns; empty if
            the predictions are not known or there are more than ``MOST_CLASSES`` classes.
        mistakes: The images that most trainings misclassified, at most ``MOST_DIGITS``.
        wrong: Number of images that at least one training misclassified.
        held_out: Whether it was trained without the images held out for validation, not on all training images.
        side: Height and width of the images in pixels; None if they are not available.
        class_names: Names of the classes, in the order of their numbers; empty if they have no names.
    """

    accuracies: Mapping[int, float]
    confusion: Sequence[Sequence[int]] = ()
    mistakes: Sequence[Mistake] = ()
    wrong: int = 0
    held_out: bool = False
    side: tuple[int, int] | None = None
    class_names: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Versus:
    """A candidate compared with a hand-designed baseline on the same test images, see ``Comparison``.

    Args:
        name: Name of the baseline.
        trained: How the training of the baseline differs from that of the candidate, in words; empty if it does not.
        seeds: Number of seeds that the baseline was trained with.
        mean: Mean test accuracy of the baseline over these seeds, a fraction.
        difference: Difference of the mean test accuracies, a fraction; positive if the candidate is better.
        standard_error: Standard error of the difference.
        p_value: Median p value of McNemar's test over the seeds that both have; None if predictions are not known.
        verdict: ``"better"``, ``"worse"`` or ``"unclear"``.
    """

    name: str
    trained: str
    seeds: int
    mean: float
    difference: float
    standard_error: float | None
    p_value: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row of the leaderboard with all details of the candidate.

    Args:
        row: Row of the leaderboard.
        strategy, budget: Strategy and parameter budget of its run; None if its run has none.
        trial: Number of the trial in its run, from 0; None if it was not a trial.
        documented: Documented test accuracy of a hand-designed baseline; None for others.
        int8_weight_bytes: Size of its weights in int8.
        layers: Name, kind, output shape, parameters, MACs, and kernel or window of each operation.
        recipe: Recipe as plain JSON values.
        curve: Lists with one entry per epoch: training loss and accuracy, validation loss and accuracy, learning rate;
            and ``val_metric``, the metric that candidates are ranked by, if it is not accuracy and was measured.
        fingerprint, versions, validated_on, stored: Provenance of the measurements.
        pruned: Whether its training was stopped early.
        test: Results of its evaluations; None if there are none.
        versus: Comparisons with hand-designed baselines.
    """

    row: Row
    strategy: str | None
    budget: int | None
    trial: int | None
    documented: float | None
    int8_weight_bytes: int
    layers: Sequence[tuple[str, str, Sequence[int], int, int, str]]
    recipe: Mapping[str, Any]
    curve: Mapping[str, Sequence[float | None]]
    fingerprint: str
    versions: Mapping[str, Any]
    validated_on: str
    stored: str
    pruned: bool
    test: Test | None = None
    versus: Sequence[Versus] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of one search.

    Args:
        run: Name of the run.
        budget, strategy, seed, lag: Settings of the run.
        best: Best value so far of the ranking metric of the section, after each trial; None before the first value.
            Hand-designed baselines do not count.
        seconds: Cumulative training time of all workers, after each trial.
        names: Name of the candidate of each trial.
        baselines: Number of hand-designed baselines that were trained in addition to the trials.
        rejections: Number of candidates that the constraint filter rejected, by reason.
        failures: Name and reason of each failed training.
        reused: Number of trials reused from other runs.
        finished: Whether the run has finished.
    """

    run: str
    budget: int | None
    strategy: str
    seed: int
    lag: int
    best: Sequence[float | None]
    seconds: Sequence[float]
    names: Sequence[str]
    baselines: int
    rejections: Mapping[str, int]
    failures: Sequence[tuple[str, str]]
    reused: int
    finished: bool


@dataclass(frozen=True, slots=True)
class Section:
    """All results on one dataset.

    Args:
        dataset: Name of the dataset.
        candidates, searches: The candidates and searches.
        metric, direction: Metric that candidates are ranked by, and whether high or low values are better.
        mixed: Objectives of the runs, if candidates are ranked by accuracy because the objectives differ.
        splits: Images held out for validation, in words, if they differ between runs.
        data: Command-line words that select the data of the run of the best candidate; none if the run knows it.
        of_baselines: Command-line words with which ``reproduce`` trains baselines on the dataset.
    """

    dataset: str
    candidates: Sequence[Candidate]
    searches: Sequence[Progress]
    metric: str = ACCURACY
    direction: Direction = "max"
    mixed: Sequence[str] = ()
    splits: Sequence[str] = ()
    data: Sequence[str] = ()
    of_baselines: Sequence[str] = ()

    @property
    def best(self) -> Candidate:
        """The candidate with the best rank."""
        return min(self.candidates, key=lambda one: one.row.rank)


@dataclass(frozen=True, slots=True)
class Report:
    """A report of a store, with a section for each dataset.

    Args:
        sections: One section per dataset.
        runs: Names of the requested runs; empty for all.
        failed: Number of failed trainings.
        created_at: Time of creation.
        title: Title of the report.
        store: Command-line words that select its store; empty if it is the default one.
    """

    sections: Sequence[Section]
    runs: Sequence[str]
    failed: int
    created_at: str = ""
    title: str = "all results"
    store: Sequence[str] = ()

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
