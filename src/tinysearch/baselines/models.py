"""The three hand-designed baselines, exactly.

They were made by hand for MNIST: pixels scaled to [0, 1], input 28x28x1, Adam at 1e-3, batches of 32, 10 epochs, the
last 10 % of the 60,000 training images held out. The documented accuracies are those of single runs.
"""

from __future__ import annotations

from dataclasses import dataclass

from tinysearch.errors import CandidateError
from tinysearch.space.architecture import (
    Architecture,
    Conv,
    Dropout,
    Head,
    Inception,
    Pool,
    SeparableConv,
)

PREFIX = "baseline:"


@dataclass(frozen=True, slots=True)
class Baseline:
    """A hand-designed baseline: what it is, and what its makers counted and measured on MNIST.

    Args:
        name: ``"conv"``, ``"separable"`` or ``"inception"``.
        architecture: Its layers.
        params, trainable_params: As documented; the rest are moving statistics of batch normalization.
        test_accuracy: Fraction of the 10,000 test images, single run, as documented.
    """

    name: str
    architecture: Architecture
    params: int
    trainable_params: int
    test_accuracy: float


CONV = Baseline(
    "conv",
    Architecture(
        (
            Conv(20, kernel=(7, 7), padding="same", norm="after"),
            Pool("max", 2),
            Conv(10, kernel=(5, 5), padding="valid", norm="after"),
            Pool("max", 2),
            Dropout(0.5),
        ),
        Head("flatten"),
    ),
    params=8_640,
    trainable_params=8_580,
    test_accuracy=0.9920,
)

SEPARABLE = Baseline(
    "separable",
    Architecture(
        (
            SeparableConv(28, padding="valid", norm="after"),
            Pool("max", 2),
            SeparableConv(16, padding="valid", norm="after"),
            Pool("max", 2),
            Dropout(0.25),
        ),
        Head("flatten"),
    ),
    params=4_967,
    trainable_params=4_879,
    test_accuracy=0.9842,
)

INCEPTION = Baseline(
    "inception",
    Architecture(
        (
            Inception(
                (
                    (
                        SeparableConv(2),
                        Pool("max", 2, stride=1, padding="same"),
                        Conv(1, kernel=(1, 1)),
                        Dropout(0.25),
                    ),
                    (Conv(2, kernel=(1, 1)), SeparableConv(2, kernel=(5, 5)), Dropout(0.25)),
                    (Conv(2, kernel=(1, 1)), Dropout(0.25)),
                    (Conv(2, kernel=(1, 1)), SeparableConv(2), Dropout(0.25)),
                )
            ),
            SeparableConv(2, stride=2, padding="valid"),
            Pool("max", 2, stride=1),
            Dropout(0.25),
        ),
        Head("flatten"),
    ),
    params=3_077,
    trainable_params=3_077,
    test_accuracy=0.9736,
)

BASELINES: dict[str, Baseline] = {model.name: model for model in (CONV, SEPARABLE, INCEPTION)}


def documented() -> dict[str, float]:
    """Return the documented test accuracies on MNIST, fractions, by the names that records have."""
    return {PREFIX + name: model.test_accuracy for name, model in BASELINES.items()}


def baseline(name: str) -> Baseline:
    """Return a hand-designed baseline by its name, with or without ``baseline:``.

    Raises:
        CandidateError: if there is none of that name.
    """
    bare = name.removeprefix(PREFIX)
    if bare not in BASELINES:
        raise CandidateError(f"the hand-designed baselines are {', '.join(BASELINES)}; got {bare!r}")
    return BASELINES[bare]


def architectures() -> dict[str, Architecture]:
    """Return the hand-designed architectures under the names that records use, ``baseline:conv`` and so on."""
    return {PREFIX + name: model.architecture for name, model in BASELINES.items()}
