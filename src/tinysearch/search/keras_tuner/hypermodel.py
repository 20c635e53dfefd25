"""The search space of tinysearch as a KerasTuner hypermodel."""

from __future__ import annotations

from typing import Any

import keras
import keras_tuner
import numpy as np

from tinysearch.errors import RecipeError, SpaceError
from tinysearch.space import choices
from tinysearch.space.architecture import Architecture
from tinysearch.space.cost import Cost, cost
from tinysearch.space.keras_builder import build
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.recipe import RECIPES, Recipe


class SpaceHyperModel(keras_tuner.HyperModel):
    """Small convolutional networks as hyperparameters, for any KerasTuner tuner.

    Its models map images of shape ``(batch, height, width, channels)`` to class probabilities; labels are integers.
    ``BudgetOracle`` counts their parameters by arithmetic.

    Args:
        space: The search space, which includes the image shape; by default the space of ``tinysearch run``.
        recipe: Optimizer, learning rate and loss, batch size and epochs; by default Adam at a constant rate of 1e-3.
            Augmentation is not applied; add it to your data.
        images: Number of training images, required by schedules that depend on the step.
        scale, offset: The models multiply pixels by ``scale`` and add ``offset`` first.

    Raises:
        RecipeError: if the recipe's schedule needs ``images`` and it is not given.
    """

    def __init__(
        self,
        space: SearchSpace | None = None,
        recipe: Recipe | None = None,
        *,
        images: int | None = None,
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> None:
        super().__init__(name="tinysearch")
        self.space = space or SearchSpace()
        self.recipe = recipe or RECIPES["documented"]
        if self.recipe.schedule != "constant" and images is None:
            raise RecipeError(
                f"the schedule {self.recipe.schedule!r} depends on the number of steps: give the number of training "
                f"images, such as images=54_000, or a recipe whose schedule is 'constant'"
            )
        self._steps = 1 if images is None else max(1, -(-images // self.recipe.batch_size))
        self._scale = scale
        self._offset = offset

    def declare_hyperparameters(self, hp: keras_tuner.HyperParameters) -> None:
        """Declare the whole space at once, with default values that can be built: KerasTuner builds them first."""
        declared = keras_tuner.HyperParameters()
        choices.register(self.space.tree, declared)
        standard = self.space.encode(self._standard(declared.values))
        for one in declared.space:
            config = one.get_config()
            if one.name in standard and "default" in config:
                config["default"] = standard[one.name]
            hp.merge([type(one).from_config(config)], overwrite=False)

    def architecture(self, hp: keras_tuner.HyperParameters) -> Architecture:
        """Return the network of hyperparameter values.

        Raises:
            SpaceError: if they do not make a network.
        """
        return self.space.decode(hp.values)

    def cost(self, hp: keras_tuner.HyperParameters) -> Cost:
        """Return the cost of the network, by arithmetic.

        Raises:
            ShapeError: if it does not fit the images.
        """
        return cost(self.architecture(hp), self.space.task)

    def build(self, hp: keras_tuner.HyperParameters) -> keras.Model:
        """Build and compile the network.

        Raises:
            ShapeError: if it does not fit the images.
        """
        if not hp.values:
            self.declare_hyperparameters(hp)
        # This import registers the schedule with Keras, which a process that only searches does not need.
        from tinysearch.training.optimization import loss_of, optimizer_of

        model = build(
            self.architecture(hp),
            self.space.task,
            scale=self._scale,
            offset=self._offset,
            norm_momentum=self.recipe.norm_momentum,
        )
        model.compile(
            optimizer=optimizer_of(self.recipe, self._steps),
            loss=loss_of(self.recipe),
            metrics=["accuracy"],
            # With XLA, training takes twice as long on CPUs.
            jit_compile=keras.backend.backend() == "jax",
        )
        return model

    def fit(self, hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **kwargs: Any) -> Any:
        """Train a model; batch size and epochs are those of the recipe unless given."""
        callbacks = list(kwargs.pop("callbacks", None) or [])
        if self.recipe.plateau_factor != 1:
            from tinysearch.training.callbacks import PlateauRule

            callbacks.append(PlateauRule(self.recipe.plateau_factor))
        if self.recipe.ema_momentum:
            # First, so that models saved after an epoch have the averaged weights.
            callbacks.insert(0, keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
        # These are the third and fourth arguments of Keras's ``fit`` and may be positional.
        if len(args) < 3:
            kwargs.setdefault("batch_size", self.recipe.batch_size)
        if len(args) < 4:
            kwargs.setdefault("epochs", self.recipe.epochs)
        return model.fit(*args, callbacks=callbacks, **kwargs)

    def _standard(self, defaults: dict[str, Any]) -> Architecture:
        """Return the network of the default values if it can be built, otherwise a random one."""
        try:
            architecture = self.space.decode(defaults)
        except SpaceError:
            architecture = None
        if architecture is not None and self.space.cost(architecture) is not None:
            return architecture
        return self.space.sample(np.random.default_rng(0))
