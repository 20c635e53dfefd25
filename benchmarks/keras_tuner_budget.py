"""Search custom hypermodels under a budget with each of KerasTuner's oracles, and with plain KerasTuner.

    python benchmarks/keras_tuner_budget.py

Both sides search the same spaces with the same seeds on scikit-learn's digits: one side with ``BudgetOracle``, the
other with KerasTuner's own ``max_model_size``. Prints the tables of ``docs/keras_tuner.md``. Takes a few minutes.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
warnings.filterwarnings("ignore")

import keras
import keras_tuner
from sklearn.datasets import load_digits

from tinysearch.keras_tuner import BudgetOracle

EPOCHS = 2


def dense(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Build a network with one to three hidden layers of 16 to 256 units."""
    layers: list[Any] = [keras.Input((8, 8, 1)), keras.layers.Flatten()]
    for index in range(hp.Int("layers", 1, 3)):
        layers += [keras.layers.Dense(hp.Int(f"units{index}", 16, 256, step=16)), keras.layers.BatchNormalization()]
        layers.append(keras.layers.ReLU())
    return compiled(layers, hp)


def conv(hp: keras_tuner.HyperParameters) -> keras.Model:
    """Build a network with one to three unpadded 3x3 or 5x5 convolutions of 4 to 64 filters; not all can be built."""
    layers: list[Any] = [keras.Input((8, 8, 1))]
    for index in range(hp.Int("layers", 1, 3)):
        filters = hp.Int(f"filters{index}", 4, 64, step=4)
        layers += [keras.layers.Conv2D(filters, hp.Choice(f"kernel{index}", [3, 5])), keras.layers.BatchNormalization()]
        layers.append(keras.layers.ReLU())
    return compiled([*layers, keras.layers.Flatten()], hp)


def compiled(layers: list[Any], hp: keras_tuner.HyperParameters) -> keras.Model:
    """Return the compiled model of some layers and a classifier."""
    model = keras.Sequential([*layers, keras.layers.Dense(10, activation="softmax")])
    rate = hp.Choice("rate", [1e-2, 3e-3, 1e-3])
    loss = "sparse_categorical_crossentropy"
    # On TensorFlow, compiling with XLA would take longer than these trainings.
    model.compile(keras.optimizers.Adam(rate), loss, metrics=["accuracy"], jit_compile=keras.backend.backend() == "jax")
    return model


def tuners(trials: int, seed: int) -> dict[str, Callable[..., keras_tuner.Tuner]]:
    """Return a function that makes a tuner, by the name of the tuner."""
    common = {"objective": "val_accuracy", "seed": seed, "overwrite": True}
    return {
        "RandomSearch": lambda build, **given: keras_tuner.RandomSearch(build, max_trials=trials, **common, **given),
        "BayesianOptimization": lambda build, **given: keras_tuner.BayesianOptimization(
            build, max_trials=trials, num_initial_points=max(2, trials // 2), **common, **given
        ),
        "Hyperband": lambda build, **given: keras_tuner.Hyperband(build, max_epochs=EPOCHS, **common, **given),
        "GridSearch": lambda build, **given: keras_tuner.GridSearch(build, max_trials=trials, **common, **given),
    }


def searched(tuner: keras_tuner.Tuner, data: dict[str, Any], seed: int) -> tuple[list[int], str]:
    """Run a search; return the total parameters of each trained model, and how the search ended."""
    # KerasTuner seeds its proposals but not the trainings, and proposals of Bayesian optimization depend on the scores.
    keras.utils.set_random_seed(seed)
    trained: list[int] = []
    fit = tuner.hypermodel.fit

    def noted(hp: keras_tuner.HyperParameters, model: keras.Model, *args: Any, **given: Any) -> Any:
        trained.append(model.count_params())
        return fit(hp, model, *args, **given)

    tuner.hypermodel.fit = noted
    shown = io.StringIO()
    try:
        # KerasTuner prints the traceback of each model over its limit.
        with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
            tuner.search(**data)
    except RuntimeError as error:
        return trained, f"aborted: {str(error).splitlines()[0]}"
    return trained, "finished"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--budget", type=int, default=5_000)
    parser.add_argument("--trials", type=int, default=6)
    parser.add_argument("--hypermodels", nargs="+", choices=("dense", "conv"), default=["dense", "conv"])
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    digits = load_digits()
    images = (digits.images / 16.0).astype("float32")[..., None]
    data = {"x": images, "y": digits.target, "validation_split": 0.1, "verbose": 0, "batch_size": 64}
    held, plain = [], []
    for build in (one for one in (dense, conv) if one.__name__ in given.hypermodels):
        for name, make in tuners(given.trials, given.seed).items():
            epochs = {} if name == "Hyperband" else {"epochs": EPOCHS}
            with tempfile.TemporaryDirectory() as folder:
                tuner = make(build, directory=folder)
                tuner.oracle = oracle = BudgetOracle(tuner.oracle, budget=given.budget, hypermodel=build)
                trained, ending = searched(tuner, {**data, **epochs}, given.seed)
                over = sum(size >= given.budget for size in trained)
                rejected = ", ".join(f"{number} {reason}" for reason, number in sorted(oracle.rejections.items()))
                best = max(trial.score for trial in oracle.trials.values() if trial.score is not None)
                counts = len(oracle.trials), len(trained), over, max(trained)
                held.append((build.__name__, name, rejected or "0", *counts, f"{best:.3f}", ending))
            with tempfile.TemporaryDirectory() as folder:
                tuner = make(build, directory=folder, max_model_size=given.budget)
                trained, ending = searched(tuner, {**data, **epochs}, given.seed)
                over = sum(size >= given.budget for size in trained)
                trials = tuner.oracle.trials.values()
                failed = sum(trial.status == "FAILED" for trial in trials)
                plain.append(
                    (build.__name__, name, len(trials), failed, len(trained), over, max(trained, default=0), ending)
                )
            print("so far:", held[-1], plain[-1], flush=True)
    print(f"\nBudgetOracle, budget {given.budget:,}:\n")
    show(("hypermodel", "oracle", "rejected", "trials", "trained", "at or above", "largest", "best", "search"), held)
    print(f"\nplain KerasTuner, max_model_size={given.budget:,}:\n")
    show(("hypermodel", "oracle", "trials", "failed", "trained", "at or above", "largest", "search"), plain)


def show(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> None:
    """Print a table in Markdown."""
    for cells in (head, ("---",) * len(head), *rows):
        print("| " + " | ".join(f"{cell:,}" if isinstance(cell, int) else str(cell) for cell in cells) + " |")


if __name__ == "__main__":
    main()
