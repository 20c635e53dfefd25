"""Recipes: the training settings of a candidate."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from tinysearch.errors import RecipeError, meant
from tinysearch.results import upgrade
from tinysearch.space.scalars import integer, option, real, written

# Maximum of ``shift_pixels``.
MOST_SHIFT = 100.0


@dataclass(frozen=True, slots=True, repr=False)
class Recipe:
    """How a candidate is trained. The defaults are the ``default`` recipe.

    Args:
        epochs: Number of passes over the training images.
        batch_size: Images per step.
        optimizer: ``"sgd"`` (Nesterov momentum 0.9) or ``"adam"`` (Kingma and Ba, 2015).
        learning_rate: The constant learning rate, or its peak in one cycle.
        schedule: ``"constant"``, or ``"one_cycle"``: a linear warm-up over the first fifth of all steps, then a cosine
            to zero at the very last step (Smith and Topin, 2019).
        plateau_factor: The rate is divided by this after an epoch whose validation accuracy is not above that of three
            epochs before, at most once in three epochs; 1 keeps the rate. Trainings without validation images use the
            training accuracy. Only with ``"constant"``.
        clip_norm: Gradients are clipped to this global norm; 0 for no clipping (Pascanu et al., 2013).
        input_scaling: ``"standardized"`` by mean and standard deviation of the training pixels, or scaled to ``"unit"``
            range.
        rotation_degrees: Training images are rotated by up to this angle in both directions.
        shift_pixels: Training images are shifted by up to this distance in each direction.
        norm_momentum: Momentum of the moving statistics of batch normalization.
        label_smoothing: Fraction of each label that is spread evenly over all classes (Szegedy et al., 2016).
        weight_decay: Decoupled weight decay of kernels, multiplied by the learning rate (Loshchilov and Hutter, 2019);
            scales and offsets are not decayed.
        ema_momentum: Momentum of the exponential moving averages of the weights that are validated and saved (Polyak
            and Juditsky, 1992); 0 to use the weights themselves.
        zoom: Training images are stretched or shrunk by up to this fraction, height and width separately.
        shear_degrees: Training images are sheared by up to this angle in both directions.
        no_augment_final_epochs: Number of epochs without augmentation at the end.
        mirroring: Fraction of the training images that are mirrored horizontally; not for series.
        cutout: A square of up to this fraction of height and width is blanked in each training image (DeVries and
            Taylor, 2017); in a series, an interval.
        brightness: Training images get lighter or darker by up to this many standard deviations of their pixels.
        scaling: Each channel of a training image is scaled up or down by up to this fraction.
        jitter: Standard deviation of the noise added to each value of a training image, in standard deviations of the
            channel.
        class_weight: ``"balanced"`` weights images by the inverse frequency of their class, ``"none"`` weights all
            equally.

    Raises:
        RecipeError: if a value is out of range.
    """

    epochs: int = 10
    batch_size: int = 32
    optimizer: Literal["sgd", "adam"] = "sgd"
    learning_rate: float = 0.1
    schedule: Literal["constant", "one_cycle"] = "one_cycle"
    plateau_factor: float = 1.0
    clip_norm: float = 1.0
    input_scaling: Literal["standardized", "unit"] = "standardized"
    rotation_degrees: float = 7.0
    shift_pixels: float = 1.0
    norm_momentum: float = 0.9
    label_smoothing: float = 0.0
    weight_decay: float = 0.0
    ema_momentum: float = 0.0
    zoom: float = 0.0
    shear_degrees: float = 0.0
    no_augment_final_epochs: int = 0
    mirroring: float = 0.0
    cutout: float = 0.0
    brightness: float = 0.0
    scaling: float = 0.0
    jitter: float = 0.0
    class_weight: Literal["none", "balanced"] = "none"

    def __repr__(self) -> str:
        """Show only the values that differ from the recipe ``default``.

        >>> Recipe(), Recipe(epochs=3, class_weight="balanced")
        (Recipe(), Recipe(epochs=3, class_weight='balanced'))
        """
        changed = (
            f"{one.name}={getattr(self, one.name)!r}"
            for one in dataclasses.fields(self)
            if getattr(self, one.name) != one.default
        )
        return f"Recipe({', '.join(changed)})"

    def __post_init__(self) -> None:
        for name, low, high in (
            ("epochs", 1, 100_000),
            ("batch_size", 1, 65_536),
            ("learning_rate", 1e-9, 100.0),
            ("plateau_factor", 1.0, 1e6),
            ("clip_norm", 0.0, 1e6),
            ("rotation_degrees", 0.0, 180.0),
            ("shift_pixels", 0.0, MOST_SHIFT),
            ("norm_momentum", 0.0, 1.0),
            ("label_smoothing", 0.0, 0.9),
            ("weight_decay", 0.0, 1.0),
            ("ema_momentum", 0.0, 0.99999),
            ("zoom", 0.0, 0.5),
            ("shear_degrees", 0.0, 60.0),
            ("no_augment_final_epochs", 0, 100_000),
            ("mirroring", 0.0, 1.0),
            ("cutout", 0.0, 0.9),
            ("brightness", 0.0, 3.0),
            ("scaling", 0.0, 0.9),
            ("jitter", 0.0, 3.0),
        ):
            value = getattr(self, name)
            plain = integer(value) if name in _INTEGERS else real(value)
            if plain is None or not low <= plain <= high:
                kind = "a whole number" if name in _INTEGERS else "a number"
                raise RecipeError(f"{name} must be {kind} from {written(low)} to {written(high)}, got {value!r}")
            # Also store zeros again: the value may be a negative zero.
            if type(plain) is not type(value) or not value:
                object.__setattr__(self, name, plain)
        for name, options in (
            ("optimizer", ("sgd", "adam")),
            ("schedule", ("constant", "one_cycle")),
            ("input_scaling", ("standardized", "unit")),
            ("class_weight", ("none", "balanced")),
        ):
            value = getattr(self, name)
            known = option(value, options)
            if known is None:
                raise RecipeError(f"{name} must be one of {', '.join(options)}; got {value!r}")
            if known is not value:
                object.__setattr__(self, name, known)
        if self.plateau_factor != 1 and self.schedule != "constant":
            raise RecipeError(
                f"plateau_factor {written(self.plateau_factor)} needs the schedule 'constant', got {self.schedule!r}"
            )

    @property
    def augments(self) -> bool:
        """Whether the recipe uses any augmentation."""
        return self.moves or self.changes

    @property
    def moves(self) -> bool:
        """Whether training images are rotated, shifted, stretched or sheared at random."""
        moved = max(self.rotation_degrees, self.shift_pixels, self.zoom, self.shear_degrees) > 0
        return moved and self.no_augment_final_epochs < self.epochs

    @property
    def changes(self) -> bool:
        """Whether training images are mirrored, or their values changed, at random."""
        changed = max(self.mirroring, self.cutout, self.brightness, self.scaling, self.jitter) > 0
        return changed and self.no_augment_final_epochs < self.epochs

    @property
    def name(self) -> str:
        """Name of the known recipe that equals this one except for epochs, or ``"custom"``."""
        for name, recipe in RECIPES.items():
            if dataclasses.replace(self, epochs=recipe.epochs) == recipe:
                return name
        return "custom"

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON values, without fields that are newer than the first records and have no effect."""
        return {
            name: value
            for name, value in dataclasses.asdict(self).items()
            if value not in (0, "none") or name not in _LATER
        }

    def identity(self) -> dict[str, Any]:
        """Return the values that determine keys of candidates: ``to_dict`` with the original names of fields."""
        return {_FIRST_NAMES.get(name, name): value for name, value in self.to_dict().items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Recipe:
        """Create a recipe from plain JSON values; fields may have their original names.

        Raises:
            RecipeError: if a field is unknown or a value out of range.
        """
        data = upgrade.recipe(data)
        known = {item.name for item in dataclasses.fields(cls)}
        unknown = sorted(set(data) - known)
        if unknown:
            raise RecipeError(
                f"a recipe has no field {unknown[0]!r}; its fields are {', '.join(sorted(known))}"
                f"{meant(unknown[0], known)}"
            )
        return cls(**data)


_INTEGERS = ("epochs", "batch_size", "no_augment_final_epochs")

# Keys of candidates are computed from recipes: they must not change when recipes get new fields.
_LATER = frozenset(
    (
        *("label_smoothing", "weight_decay", "ema_momentum", "zoom", "shear_degrees", "no_augment_final_epochs"),
        *("mirroring", "cutout", "brightness", "scaling", "jitter", "class_weight"),
    )
)
# Nor when a field is renamed.
_FIRST_NAMES = {new: old for old, new in upgrade.RECIPE.items()}

RECIPES: dict[str, Recipe] = {
    "default": Recipe(),
    # As the MNIST Challenge documents it: Adam at 1e-3, batches of 32, pixels in [0, 1], no augmentation.
    "documented": Recipe(
        batch_size=32,
        optimizer="adam",
        learning_rate=1e-3,
        schedule="constant",
        clip_norm=0.0,
        input_scaling="unit",
        rotation_degrees=0.0,
        shift_pixels=0.0,
        norm_momentum=0.99,
    ),
}


def recipe(name: str, *, epochs: int | None = None) -> Recipe:
    """Return a recipe by its name.

    Raises:
        RecipeError: if the name is unknown or the epochs are out of range.
    """
    if name not in RECIPES:
        raise RecipeError(f"a recipe is one of {', '.join(RECIPES)}; got {name!r}{meant(name, RECIPES)}")
    found = RECIPES[name]
    return found if epochs is None else dataclasses.replace(found, epochs=epochs)
