"""Training a candidate again whose model was not kept, in a process of its own: nothing of the caller's changes."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from tinysearch.data.dataset import Dataset, TrainingData
from tinysearch.data.images import Images
from tinysearch.errors import TrainingError
from tinysearch.runtime.backend import generators_kept, load_keras
from tinysearch.space.architecture import Architecture
from tinysearch.space.task import Task
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe


def trained_again(candidate: Candidate, dataset: Dataset, seed: int = 0) -> Any:
    """Train a candidate on all training images of a dataset, and return the Keras model; it takes raw pixels.

    Raises:
        TrainingError: if it cannot be trained.
    """
    load_keras()
    from tinysearch.space.keras_builder import build

    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        request = {
            "architecture": candidate.architecture.to_dict(),
            "recipe": candidate.recipe.to_dict(),
            "seed": seed,
            "input_shape": dataset.task.input_shape,
            "classes": dataset.task.classes,
            "full_scale": dataset.full_scale,
        }
        (place / "request.json").write_text(json.dumps(request), encoding="utf-8")
        np.savez(place / "images.npz", pixels=dataset.train.pixels, labels=dataset.train.labels)
        done = subprocess.run(
            [sys.executable, "-c", "import sys; sys.path[:] = sys.argv[2:]; from tinysearch.deploy.again import child; "
             "child(sys.argv[1])", scratch, *sys.path],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or [f"it ended with {done.returncode}"])[-1]
            raise TrainingError(f"the network could not be trained again: {reason}")
        with np.load(place / "weights.npz") as file:
            arrays = {name: file[name] for name in file.files}
    scale, offset = arrays.pop("scaling").tolist()
    with generators_kept():
        model = build(candidate.architecture, dataset.task, scale=scale, offset=offset)
    model.set_weights([arrays[f"w{index}"] for index in range(len(arrays))])
    return model


def child(folder: str) -> None:
    """Do what a folder asks for; runs in the process that trains."""
    from tinysearch.runtime.preparation import prepare_to_train

    prepare_to_train()
    from tinysearch.training.trainer import fit

    place = Path(folder)
    request = json.loads((place / "request.json").read_text(encoding="utf-8"))
    with np.load(place / "images.npz") as file:
        images = Images(file["pixels"], file["labels"])
    task = Task(tuple(request["input_shape"]), request["classes"])
    candidate = Candidate(Architecture.from_dict(request["architecture"]), Recipe.from_dict(request["recipe"]))
    data = TrainingData(task, images, None, request["full_scale"])
    model, measurement = fit(candidate, data, request["seed"])
    if measurement.failure is not None:
        raise TrainingError(measurement.failure)
    layer = next((layer for layer in model.layers if layer.name == "scale"), None)
    scaling = (1.0, 0.0) if layer is None else (float(layer.scale), float(layer.offset))
    weights = {f"w{index}": array for index, array in enumerate(model.get_weights())}
    np.savez(place / "weights.npz", scaling=np.array(scaling), **weights)
