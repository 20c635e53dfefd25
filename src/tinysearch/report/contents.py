"""What a report shows of a store, as plain values: no framework, no page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tinysearch.results.leaderboard import Row
from tinysearch.results.record import ACCURACY, Direction


@dataclass(frozen=True, slots=True)
class Mistake:
    """A test image that a network got wrong.

    Args:
        index: Its place in the test set.
        label, predicted: Its class, and what it was most often taken for.
        times: How many of the trainings got it wrong.
        pixels: Its first channel, a byte a pixel, base64; empty if the images are not at hand.
    """

    index: int
    label: int
    predicted: int
    times: int
    pixels: str = ""


@dataclass(frozen=True, slots=True)
class Test:
    """What evaluations of one candidate came to.

    Args:
        accuracies: By seed, fractions.
        confusion: How often a class, the row, was taken for another, the column, all seeds together; empty if it is
            not known or the classes are too many.
        mistakes: The images that the most trainings got wrong, at most ``MOST_DIGITS``.
        wrong: How many images at least one training got wrong.
        held_out: Whether it was trained without the images held out for validation, not on all training images.
        side: Height and width of the images in pixels, where they are at hand.
        class_names: Names of the classes, in the order of their numbers; nothing where they are called by these.
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
    """A candidate against a hand-designed baseline on the same test images, see ``Comparison``.

    Args:
        name: Of the hand-designed baseline.
        trained: How it was trained otherwise than the candidate, in words; empty if alike.
        seeds: How many seeds it was trained with.
        mean: Its mean test accuracy over these, a fraction.
        difference, standard_error: Of the means, fractions; positive if the candidate is better.
        p_value: Median of McNemar's over the seeds that both have; None where predictions are not known.
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
    """A row of the leaderboard, and all that is known of it.

    Args:
        row: As on the leaderboard.
        strategy, budget: Of its run; None for what was only evaluated.
        trial: Number of the trial in its run, from 0.
        documented: The test accuracy that is documented for a hand-designed baseline.
        int8_weight_bytes: What its weights take in int8.
        layers: Name, kind, output shape, parameters, MACs, and kernel or window of each operation.
        recipe: As plain JSON values.
        curve: Lists of training loss and accuracy, validation loss and accuracy, and rate, an entry an epoch; and
            ``val_metric``, of what candidates are ranked by, if that is not accuracy and was measured.
        fingerprint, versions, validated_on, stored: Where the figures come from.
        pruned: Whether its training was stopped early.
        test: What evaluations came to.
        versus: How it compares with hand-designed baselines.
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
    """How one search went.

    Args:
        run: Its name.
        budget, strategy, seed, lag: Of its settings.
        best: Best value so far of what the section is ranked by, after each trial, None before there is one;
            hand-designed baselines are none.
        seconds: Time spent training until then, all workers together.
        names: What was trained.
        baselines: How many hand-designed baselines were trained beside the trials.
        rejections: What the constraint filter rejected, by reason.
        failures: Name and reason of trainings that failed.
        reused: How many were reused from other runs.
        finished: Whether it came to its end.
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
        dataset: Its name.
        candidates, searches: What is known of them.
        metric, direction: What candidates are ranked by.
        mixed: The objectives of the runs, where they are ranked by accuracy because these differ.
        splits: What was held out for validation, in words, where it was not the same in all runs.
        data: The words by which a command on the run of the best finds its data; none where the run says where it is.
        of_baselines: Those by which baselines are trained on it.
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
        """The first in the order of candidates."""
        return min(self.candidates, key=lambda one: one.row.rank)


@dataclass(frozen=True, slots=True)
class Report:
    """Sections by dataset.

    Args:
        sections: One for each dataset.
        runs: Those asked for.
        failed: How many trainings gave no result.
        created_at: When it was made.
        title: What it is about.
        store: The words by which a command finds the store that it was made of; empty where that is not needed.
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
