"""Records: what was measured of one training of one candidate, and the runs that they belong to."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tinysearch.errors import RunError
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost

Origin = Literal["baseline", "search"]
Purpose = Literal["search", "revalidation", "evaluation"]


@dataclass(frozen=True, slots=True)
class Epoch:
    """One point of a training curve.

    Args:
        loss, accuracy: Mean over the epoch's training batches, with augmentation and dropout as trained.
        val_loss, val_accuracy: On the validation images after the epoch; None if there are none.
        learning_rate: The rate of the epoch's last step.
        seconds: Wall-clock time since training began.
    """

    loss: float
    accuracy: float
    val_loss: float | None
    val_accuracy: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came back from training one candidate: plain values, so that it can come from anywhere.

    Args:
        curve: One point per epoch that was finished.
        train_seconds: Wall-clock time of building and training.
        failure: Why there is no result, or None.
        log: The end of what the worker wrote, where there is a failure.
        predicted: The classes that the trained model predicts for the test images, packed as in ``predictions``; None
            where it was shown none. It comes with an evaluation and is stored apart from its record.
    """

    curve: tuple[Epoch, ...] = ()
    train_seconds: float = 0.0
    failure: str | None = None
    log: str = ""
    predicted: bytes | None = None

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy of the *last* epoch, the score of a candidate; None if training failed."""
        return self.curve[-1].val_accuracy if self.curve and self.failure is None else None

    @property
    def val_loss(self) -> float | None:
        """Validation loss of the last epoch; None if training failed."""
        return self.curve[-1].val_loss if self.curve and self.failure is None else None

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        plain = asdict(self)
        predicted = plain.pop("predicted")
        return plain if predicted is None else {**plain, "predicted": base64.b64encode(predicted).decode()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Measurement:
        """Make a measurement of plain JSON values."""
        curve = tuple(Epoch(**point) for point in data["curve"])
        predicted = base64.b64decode(data["predicted"]) if "predicted" in data else None
        return cls(curve, data["train_seconds"], data["failure"], data.get("log", ""), predicted)


@dataclass(frozen=True, slots=True)
class Record:
    """One training of one candidate, with all that is needed to trace and repeat it.

    Args:
        run: Name of the run.
        key: Key of the candidate: equal for equal networks with equal recipes.
        name: ``"baseline:conv"`` and so on for hand-designed baselines, else the key.
        origin: Whether it is a hand-designed baseline or was found by search.
        purpose: ``"search"``; ``"revalidation"`` for a retraining of a leader with other images held out; or
            ``"evaluation"`` for a retraining that was scored on the test set.
        trial: Number of the trial in its run, from 0; None for baselines and retrainings.
        position: Place in the order of the run's search, baselines included, from 0; None for retrainings.
        seed: Seed of initial weights, order of the images, augmentation and dropout.
        dataset: Name of the dataset.
        fingerprint: SHA-256 of the training images and labels, sixteen hexadecimal digits.
        architecture, cost: The network and what it costs.
        recipe: The recipe as plain JSON values.
        measurement: The curve, or the reason of the failure.
        test_accuracy: Fraction of test images classified correctly after the last epoch; None if never asked.
        test_fingerprint: SHA-256 of those images and labels, sixteen hexadecimal digits; None if never asked.
        provenance: Versions of what it ran on, and the commit of tinysearch where known.
        reused_from: Name of the run whose measurement this is, of the same candidate, seed and data; None if it was
            trained for this run.
        other_environment: Whether what was reused had been trained in another environment, see ``Environment``.
        rejections: What the constraint filter rejected before it let this candidate pass, counted by reason.
        created_at: When it was stored, ISO 8601 in UTC; set by the store.
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
    created_at: str = ""

    @property
    def params(self) -> int:
        """Total parameters."""
        return self.cost.params

    @property
    def epochs(self) -> int:
        """How many epochs were finished."""
        return len(self.measurement.curve)

    @property
    def val_accuracy(self) -> float | None:
        """Validation accuracy of the last epoch; None if training failed or nothing was held out."""
        return self.measurement.val_accuracy

    @property
    def failure(self) -> str | None:
        """Why there is no result, or None."""
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
    def score(self) -> float:
        """Validation accuracy of the last epoch, or minus infinity where there is none: for comparing."""
        accuracy = self.measurement.val_accuracy
        return -math.inf if accuracy is None else accuracy


@dataclass(frozen=True, slots=True)
class Run:
    """One search or reproduction as the store knows it; ``settings`` are plain JSON values.

    ``rejections`` counts, by reason, what was rejected after the last record, when nothing new turned up any more; a
    record has the count of what was rejected before it.
    """

    name: str
    dataset: str
    fingerprint: str
    settings: Mapping[str, Any]
    rejections: Mapping[str, int]
    created_at: str
    finished_at: str | None

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their numbers; nothing where they are called by these."""
        return tuple(map(str, self.settings.get("data", {}).get("class_names", ())))

    def check_data(self, dataset: str, fingerprint: str) -> None:
        """Refuse to go on with other data than the run was made on.

        Raises:
            RunError: if the fingerprint is another.
        """
        if fingerprint != self.fingerprint:
            raise RunError(
                f"run {self.name!r} was made on {self.dataset} with fingerprint {self.fingerprint}, the dataset given "
                f"is {dataset} with {fingerprint}; give the data it was made on with --data, or another run"
            )
