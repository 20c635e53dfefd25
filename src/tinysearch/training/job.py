"""Jobs and their outcomes, as plain values that can be sent to any worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tinysearch.results.record import ACCURACY, Epoch, Measurement
from tinysearch.runtime.environment import Environment
from tinysearch.space.architecture import Architecture
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe

if TYPE_CHECKING:
    from tinysearch.data.dataset import TrainingData

# Callback after an epoch: receives its number, from 1, its measurements, and the state from which a training can resume
# after it, if states were requested.
EpochWatcher = Callable[[int, Epoch, "bytes | None"], None]


@dataclass(frozen=True, slots=True)
class Resources:
    """Resources of one training.

    Args:
        threads: Number of threads of the process; the results of a training depend on it.
        memory_bytes: Memory limit of the process in bytes; None for no limit.
    """

    threads: int = 1
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DataReference:
    """Reference to the images of a job.

    ``pixels``, ``labels``, ``test`` and ``groups`` are references that ``Executor.share`` returned.

    Args:
        pixels, labels: All training images, including held-out ones, and their labels.
        fingerprint: Fingerprint of these images and labels.
        input_shape: ``(height, width, channels)``.
        classes: Number of classes.
        full_scale: Largest value that a pixel can have.
        test: The test images without their labels, for evaluations only; None for none.
        split: Division of all training images, as plain JSON values of a ``Split``.
        groups: The group of each training image; None for none.
    """

    pixels: str
    labels: str
    fingerprint: str
    input_shape: tuple[int, int, int]
    classes: int
    full_scale: float
    test: str | None = None
    split: Mapping[str, Any] = field(default_factory=dict)
    groups: str | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """One training to run.

    Args:
        candidate: The candidate to train.
        seed: Seed of the training.
        data: Images to train on, and to predict if it has test images.
        fold: Fold of the training images that is held out for validation; None to train on all.
        resources: Resources that the training may use.
        floor: Number of an epoch and a value of the objective on the validation images. Training ends after this epoch
            if its value is worse. None never ends training early.
        state: State after an epoch of the same training, from which to resume; None to start from the beginning. A
            state that is damaged or belongs to another training is ignored.
        keep_states: Whether to report the state after each epoch but the last.
        keep_model: Whether to return the trained model.
        objective: Name of the run's objective. If it is not accuracy, it is measured after every epoch.
    """

    candidate: Candidate
    seed: int
    data: DataReference
    fold: int | None = 0
    resources: Resources = Resources()
    floor: tuple[int, float] | None = None
    state: bytes | None = None
    keep_states: bool = False
    keep_model: bool = False
    objective: str = ACCURACY

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values of all fields but the state."""
        return {
            "architecture": self.candidate.architecture.to_dict(),
            "recipe": self.candidate.recipe.to_dict(),
            "seed": self.seed,
            "data": asdict(self.data),
            "fold": self.fold,
            "resources": asdict(self.resources),
            "floor": None if self.floor is None else list(self.floor),
            "keep_states": self.keep_states,
            "keep_model": self.keep_model,
            "objective": self.objective,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], state: bytes | None = None) -> Job:
        """Create a job from plain JSON values and a state."""
        values = dict(data)
        architecture, how = Architecture.from_dict(values.pop("architecture")), Recipe.from_dict(values.pop("recipe"))
        floor = values.pop("floor")
        where, resources = values.pop("data"), values.pop("resources")
        return cls(
            Candidate(architecture, how),
            data=DataReference(**{**where, "input_shape": tuple(where["input_shape"])}),
            # Earlier versions also wrote GPUs.
            resources=Resources(resources["threads"], resources["memory_bytes"]),
            floor=None if floor is None else (int(floor[0]), float(floor[1])),
            state=state,
            **values,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of a job.

    Args:
        measurement: The measurement, or the reason of a failure.
        model: The trained model as the bytes of a ``.keras`` file; None if it was not requested or could not be saved.
        environment: Environment of the training; set by the executor, not by the trainer.
    """

    measurement: Measurement
    model: bytes | None = None
    environment: Environment | None = None


# Function that runs a job with its images, and calls the watcher after each epoch.
Train = Callable[[Job, "TrainingData", EpochWatcher], Outcome]
