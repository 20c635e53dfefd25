"""The three hand-designed baselines with their exact architectures.

They were designed by hand for MNIST: input 28x28x1, pixels scaled to [0, 1], Adam at 1e-3, batches of 32, 10 epochs,
the last 10 % of the 60,000 training images held out. The documented accuracies come from single runs.
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
    """A hand-designed baseline: its architecture and its documented figures on MNIST.

    Args:
        name: ``"conv"``, ``"separable"`` or ``"inception"``.
        architecture: Its architecture.
        params, trainable_params: Documented numbers of parameters; the others are moving statistics of batch
            normalization.
        test_accuracy: Documented fraction of the 10,000 test images, from a single run.
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
    """Return the documented test accuracies on MNIST as fractions, by the names in records."""
    return {PREFIX + name: model.test_accuracy for name, model in BASELINES.items()}


def baseline(name: str) -> Baseline:
    """Return a hand-designed baseline by its name, with or without the prefix ``baseline:``.

    Raises:
        CandidateError: if no baseline has that name.
    """
    bare = name.removeprefix(PREFIX)
    if bare not in BASELINES:
        raise CandidateError(f"the hand-designed baselines are {', '.join(BASELINES)}; got {bare!r}")
    return BASELINES[bare]


def architectures() -> dict[str, Architecture]:
    """Return the architectures of the baselines by the names in records, ``baseline:conv`` and so on."""
    return {PREFIX + name: model.architecture for name, model in BASELINES.items()}
