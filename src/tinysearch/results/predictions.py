"""Predictions of networks on test images, and significance tests between two networks."""

from __future__ import annotations

import math
import statistics
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """True classes of the test images and the classes that a network predicts, each packed by ``pack``.

    Raises:
        ValueError: if they cannot be unpacked, or differ in number.
    """

    labels: bytes
    predicted: bytes

    def __post_init__(self) -> None:
        try:
            same = unpack(self.labels).shape == unpack(self.predicted).shape
        except (ValueError, TypeError, zlib.error) as error:
            raise ValueError(f"its predictions are damaged: {error}") from None
        if not same:
            raise ValueError("its predictions and labels differ in number")

    @classmethod
    def of(cls, labels: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> Predictions:
        """Pack classes, each array of shape ``(images,)``."""
        return cls(pack(labels), pack(predicted))

    @property
    def right(self) -> npt.NDArray[np.bool_]:
        """Which images were classified correctly, shape ``(images,)``."""
        return np.asarray(unpack(self.labels) == unpack(self.predicted))


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation on test images.

    Args:
        run, key, name, seed, fingerprint: Fields of the record.
        held_out: Whether some training images were held out.
        origin: ``"baseline"`` or ``"search"``.
        recipe: The recipe as plain JSON values.
        accuracy: Test accuracy, a fraction.
        predictions: Predictions on the test images; None if only the accuracy was kept, as in archives.
    """

    run: str
    key: str
    name: str
    origin: str
    seed: int
    fingerprint: str
    held_out: bool
    recipe: Mapping[str, Any]
    accuracy: float
    predictions: Predictions | None

    @property
    def scored(self) -> Predictions | float:
        """The predictions, or the accuracy if they are not known."""
        return self.accuracy if self.predictions is None else self.predictions


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of two networks on the same test images.

    Args:
        accuracies, others: Test accuracies of the first and of the second network, one for each seed.
        p_values: One p-value of the exact test of McNemar (1947) for each seed that both were trained with: the
            probability that two equally good networks disagree at least as unevenly as these. Empty if predictions are
            not known.
    """

    accuracies: tuple[float, ...]
    others: tuple[float, ...]
    p_values: tuple[float, ...]

    @property
    def difference(self) -> float:
        """Difference of the mean accuracies, a fraction."""
        return statistics.fmean(self.accuracies) - statistics.fmean(self.others)

    @property
    def median_p(self) -> float | None:
        """The median of the p-values; None if there are none."""
        return statistics.median(self.p_values) if self.p_values else None

    @property
    def standard_error(self) -> float | None:
        """Standard error of the difference, from the spread over seeds; None if a network has a single seed."""
        squares = self._squared_errors
        return None if squares is None else math.sqrt(sum(squares))

    @property
    def verdict(self) -> str:
        """``"better"`` or ``"worse"`` for the first network, or ``"unclear"``.

        The verdict is clear if the means over seeds differ at the 5 % level by the t-test of Welch (1947) and, if
        predictions are known, most pairs with equal seeds also differ at the 5 % level by McNemar's test. A single seed
        is always unclear: it says something about one set of weights, not about a network.
        """
        from scipy.stats import t

        squares, error = self._squared_errors, self.standard_error
        significant = not self.p_values or 2 * sum(p < 0.05 for p in self.p_values) > len(self.p_values)
        if not significant or squares is None or error is None:
            return "unclear"
        spread = sum(
            square**2 / (len(each) - 1) for square, each in zip(squares, (self.accuracies, self.others), strict=True)
        )
        # If neither network varies between seeds, any difference is due to the networks.
        bound = t.ppf(0.975, error**4 / spread) * error if spread else 0.0
        if abs(self.difference) <= bound:
            return "unclear"
        return "better" if self.difference > 0 else "worse"

    @property
    def _squared_errors(self) -> tuple[float, float] | None:
        if min(len(self.accuracies), len(self.others)) < 2:
            return None
        own, other = (statistics.variance(each) / len(each) for each in (self.accuracies, self.others))
        return own, other


def compare(one: Mapping[int, Predictions | float], other: Mapping[int, Predictions | float]) -> Comparison:
    """Compare two networks by predictions or accuracies, both given by seed for at least one seed."""
    pairs = [(one[seed], other[seed]) for seed in sorted(set(one) & set(other))]
    p_values = [
        _mcnemar(ours, theirs)
        for ours, theirs in pairs
        if isinstance(ours, Predictions) and isinstance(theirs, Predictions)
    ]
    return Comparison(
        tuple(_accuracy(one[seed]) for seed in sorted(one)),
        tuple(_accuracy(other[seed]) for seed in sorted(other)),
        tuple(p_values) if len(p_values) == len(pairs) else (),
    )


def _accuracy(scored: Predictions | float) -> float:
    return float(scored.right.mean()) if isinstance(scored, Predictions) else scored


def _mcnemar(one: Predictions, other: Predictions) -> float:
    from scipy.stats import binomtest

    right, wrong = one.right, other.right
    wins, losses = int((right & ~wrong).sum()), int((wrong & ~right).sum())
    return float(binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0


def by_network(evaluated: Sequence[Evaluated]) -> dict[tuple[str, str], list[Evaluated]]:
    """Group evaluations by run and key."""
    groups: dict[tuple[str, str], list[Evaluated]] = {}
    for one in evaluated:
        groups.setdefault((one.run, one.key), []).append(one)
    return groups


def pack(classes: npt.NDArray[Any]) -> bytes:
    """Return classes, shape ``(images,)``, as compressed bytes."""
    return zlib.compress(np.asarray(classes, dtype="<u2").tobytes(), 9)


def unpack(packed: bytes) -> Classes:
    """Return the classes packed by ``pack``, shape ``(images,)``."""
    return np.frombuffer(zlib.decompress(packed), dtype="<u2").astype(np.int64)
