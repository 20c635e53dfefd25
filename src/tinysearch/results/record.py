"""Records: the measurements of one training of one candidate."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, get_args

from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost

Origin = Literal["baseline", "search"]
Purpose = Literal["search", "revalidation", "evaluation"]
Direction = Literal["max", "min"]
DIRECTIONS: Final[tuple[Direction, ...]] = get_args(Direction)
# The default objective of runs. It has its own fields, separate from other metrics.
ACCURACY: Final = "accuracy"
# Key in the provenance of a record: a description of the images held out for validation.
VALIDATED_ON: Final = "validated_on"
# A metric on the test images: the accuracy of the network in int8, as LiteRT's reference kernels compute it.
INT8_ACCURACY: Final = "int8_accuracy"


# One shared empty mapping saves memory: a long run has a million epochs.
_NONE: Final[Mapping[str, float]] = {}


@dataclass(frozen=True, slots=True)
class Epoch:
    """One point of a training curve.

    Args:
        loss, accuracy: Mean over the epoch's training batches, with augmentation and dropout as trained.
        val_loss, val_accuracy: On the validation images after the epoch; None if there are none.
        learning_rate: The rate of the epoch's last step.
        seconds: Wall-clock time since training began.
        metrics: Values of objectives other than accuracy on the validation images, by name, see ``objective``. They are
            always measured after the last epoch, and after earlier epochs if the run's objective is not accuracy.
    """

    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float
    metrics: Mapping[str, float] = field(default_factory=lambda: _NONE)

    def value(self, objective: str) -> float | None:
        """Return the value of an objective on the validation images; None if it was not measured."""
        return self.val_accuracy if objective == ACCURACY else self.metrics.get(objective)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values; metrics are left out if empty."""
        plain = {name: getattr(self, name) for name in _OF_EPOCH}
        return {**plain, "metrics": dict(self.metrics)} if self.metrics else plain


_OF_EPOCH = ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate", "seconds")


@dataclass(frozen=True, slots=True)
class Measurement:
    """The result of training one candidate. It holds plain values, so that it can come from any process or machine.

    Args:
        curve: One point per finished epoch.
        train_seconds: Wall-clock time of building and training.
        failure: The reason why there is no result, or None.
        log: The end of the worker's output, if training failed.
        predicted: The classes that the trained model predicts for the test images, packed as in ``predictions``; None
            if it was not tested. Part of an evaluation, and stored separately from its record.
    """

    curve: Sequence[Epoch] = ()
    train_seconds: float = 0.0
    failure: str | None = None
    log: str = ""
    predicted: bytes | None = None

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy of the *last* epoch; None if training failed."""
        return self.curve[-1].val_accuracy if self.curve and self.failure is None else None

    @property
    def val_loss(self) -> float | None:
        """Validation loss of the last epoch; None if training failed."""
        return self.curve[-1].val_loss if self.curve and self.failure is None else None

    def value(self, objective: str) -> float | None:
        """Return the value of an objective on the validation images after the last epoch; None if not known."""
        return self.curve[-1].value(objective) if self.curve and self.failure is None else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = {
            "curve": [epoch.to_dict() for epoch in self.curve],
            "train_seconds": self.train_seconds,
            "failure": self.failure,
            "log": self.log,
        }
        return plain if self.predicted is None else {**plain, "predicted": base64.b64encode(self.predicted).decode()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Measurement:
        """Return a measurement from plain JSON values."""
        curve = tuple(Epoch(**point) for point in data["curve"])
        predicted = base64.b64decode(data["predicted"]) if "predicted" in data else None
        return cls(curve, data["train_seconds"], data["failure"], data.get("log", ""), predicted)


@dataclass(frozen=True, slots=True, repr=False)
class Record:
    """One training of one candidate, with everything needed to trace and repeat it.

    Args:
        run: Name of the run.
        key: Key of the candidate: equal for equal networks with equal recipes.
        name: ``"baseline:conv"`` and so on for hand-designed baselines, else the key.
        origin: Whether it is a hand-designed baseline or was found by search.
        purpose: ``"search"``; ``"revalidation"`` for a retraining of a leader with different images held out; or
            ``"evaluation"`` for a retraining that was scored on the test set.
        trial: Number of the trial in its run, from 0; None for baselines and retrainings.
        position: Place in the order of the run's search, baselines included, from 0; None for retrainings.
        seed: Seed of initial weights, order of the images, augmentation and dropout.
        dataset: Name of the dataset.
        fingerprint: SHA-256 of the training images and labels, sixteen hexadecimal digits.
        architecture, cost: The network and what it costs.
        recipe: The recipe as plain JSON values.
        measurement: The curve, or the reason of the failure.
        test_accuracy: Fraction of test images classified correctly after the last epoch; None if not tested.
        test_fingerprint: SHA-256 of the test images and labels, sixteen hexadecimal digits; None if not tested.
        provenance: The environment of the training: versions, hardware, and the commit of tinysearch if known; and a
            description of the images held out for validation.
        reused_from: Name of the run that the measurement was reused from, with the same candidate, seed and data; None
            if the candidate was trained for this run.
        other_environment: Whether a reused measurement comes from another environment, see ``Environment``.
        rejections: Number of candidates that the constraint filter rejected before this one passed, by reason.
        test_metrics: Values of objectives other than accuracy on the test images, by name; empty if not tested.
        objective, direction: The objective of the run and whether a larger or a smaller value is better, see
            ``objective``. They belong to the run and are not stored with the record.
        created_at: Time of storing, ISO 8601 in UTC; set by the store.
    """

    run: str
    key: str
    name: str
    origin: Origin
    purpose: Purpose
    trial: int | None
    seed: int
    dataset: str
    fingerprint: str
    architecture: Architecture
    cost: Cost
    recipe: Mapping[str, Any]
    measurement: Measurement
    test_accuracy: float | None = None
    test_fingerprint: str | None = None
    provenance: Mapping[str, Any] = field(default_factory=dict)
    position: int | None = None
    reused_from: str | None = None
    other_environment: bool = False
    rejections: Mapping[str, int] = field(default_factory=dict)
    test_metrics: Mapping[str, float] = field(default_factory=lambda: _NONE)
    objective: str = ACCURACY
    direction: Direction = "max"
    created_at: str = ""

    def __repr__(self) -> str:
        """Return a short description of the training and its result."""
        measured = (("validation", self.val_accuracy), ("test", self.test_accuracy))
        figures = ", ".join(f"{part} accuracy {value:.4f}" for part, value in measured if value is not None)
        result = f"failed: {self.failure.splitlines()[0][:80]}" if self.failure else figures or "no accuracy"
        return (
            f"<Record {self.name} of {self.run!r}: {self.purpose}, seed {self.seed}, {self.params:,} params, {result}>"
        )

    @property
    def identity(self) -> tuple[str, int, str]:
        """Key, seed and purpose, which no other record of its run shares."""
        return self.key, self.seed, self.purpose

    @property
    def params(self) -> int:
        """Total parameters."""
        return self.cost.params

    @property
    def epochs(self) -> int:
        """Number of finished epochs."""
        return len(self.measurement.curve)

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy of the last epoch; None if training failed or nothing was held out."""
        return self.measurement.val_accuracy

    @property
    def failure(self) -> str | None:
        """The reason why there is no result, or None."""
        return self.measurement.failure

    @property
    def failed(self) -> bool:
        """Whether training gave no result."""
        return self.measurement.failure is not None

    @property
    def pruned(self) -> bool:
        """Whether training was stopped early because others were better."""
        return not self.failed and len(self.measurement.curve) < self.recipe.get("epochs", 0)

    @property
    def versions(self) -> dict[str, Any]:
        """The environment of the training, without unknown values."""
        return {name: value for name, value in self.provenance.items() if value and name != VALIDATED_ON}

    @property
    def validated_on(self) -> str:
        """A description of the images held out for validation; empty if not known."""
        return str(self.provenance.get(VALIDATED_ON, ""))

    @property
    def metrics(self) -> dict[str, float]:
        """Values of objectives on the validation images after the last epoch, by name; empty if training failed."""
        if self.failed or not self.measurement.curve:
            return {}
        last = self.measurement.curve[-1]
        return {**({} if last.val_accuracy is None else {ACCURACY: last.val_accuracy}), **last.metrics}

    @property
    def value(self) -> float | None:
        """Value of the run's objective on the validation images after the last epoch; None if it is not known."""
        return self.measurement.value(self.objective)

    @property
    def test_value(self) -> float | None:
        """Value of the run's objective on the test images; None if it is not known."""
        return self.test_accuracy if self.objective == ACCURACY else self.test_metrics.get(self.objective)

    @property
    def score(self) -> float:
        """The value with a sign such that larger is better; minus infinity if there is none."""
        # Must be fast: strategies read it from every record of a run for every proposal.
        measurement = self.measurement
        if measurement.failure is not None or not measurement.curve:
            return -math.inf
        last = measurement.curve[-1]
        value = last.val_accuracy if self.objective == ACCURACY else last.metrics.get(self.objective)
        if value is None:
            return -math.inf
        return value if self.direction == "max" else -value

    def by(self, objective: str, direction: Direction) -> Record:
        """Return the same record with another objective and direction."""
        if (objective, direction) == (self.objective, self.direction):
            return self
        return replace(self, objective=objective, direction=direction)


def is_worse(value: float, than: float, direction: Direction) -> bool:
    """Whether one value of an objective is worse than another."""
    return value < than if direction == "max" else value > than
