"""A training to do, and what came of it, as plain values that can be sent anywhere."""

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

# Called after an epoch with its number, from 1, its measurements, and what a training needs to go on after it, if that
# was asked for.
EpochWatcher = Callable[[int, Epoch, "bytes | None"], None]


@dataclass(frozen=True, slots=True)
class Resources:
    """What one training may use.

    Args:
        threads: Threads of the process; the numbers of a training depend on it.
        memory_bytes: Memory of the process; None for no limit.
    """

    threads: int = 1
    memory_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DataReference:
    """Where a worker finds images. What ``pixels``, ``labels`` and ``test`` mean is known to the executor that made it.

    Args:
        pixels, labels: All training images, those held out included, and their labels.
        fingerprint: Of these images and labels.
        input_shape: ``(height, width, channels)``.
        classes: Number of classes.
        full_scale: The largest value that a pixel can have.
        test: The test images without their labels, for evaluations only; None for none.
        split: How all training images are divided, plain JSON values of a ``Split``.
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
    """One training to do.

    Args:
        candidate: What to train, and how.
        seed: Seed of the training.
        data: What to train on, and to predict where it has test images.
        fold: Which fold of the training images is held out for validation; None to train on all.
        resources: What the training may use.
        floor: Number of an epoch, and the value of the objective on the validation images that is to be reached by it:
            training ends there if the value is worse; None for no such end.
        state: What to go on from: the state after an epoch of this very training; None to begin at the beginning. What
            is of another training, or damaged, is passed over.
        keep_states: Whether the state is wanted after each epoch but the last.
        keep_model: Whether the trained model is wanted.
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
        """Return plain JSON values of all but the state."""
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
        """Make a job of plain JSON values, and of a state."""
        values = dict(data)
        architecture, how = Architecture.from_dict(values.pop("architecture")), Recipe.from_dict(values.pop("recipe"))
        floor = values.pop("floor")
        where, resources = values.pop("data"), values.pop("resources")
        return cls(
            Candidate(architecture, how),
            data=DataReference(**{**where, "input_shape": tuple(where["input_shape"])}),
            # Earlier versions wrote GPUs too.
            resources=Resources(resources["threads"], resources["memory_bytes"]),
            floor=None if floor is None else (int(floor[0]), float(floor[1])),
            state=state,
            **values,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    Args:
        measurement: What was measured, or why there is nothing.
        model: The trained model, the bytes of a ``.keras`` file; None if it was not asked for or could not be made.
        environment: Where it was trained; a trainer leaves that to its executor.
    """

    measurement: Measurement
    model: bytes | None = None
    environment: Environment | None = None


# What does a job, with the images that it refers to; it calls the watcher after each epoch.
Train = Callable[[Job, "TrainingData", EpochWatcher], Outcome]
