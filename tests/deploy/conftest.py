from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from tinysearch.data.dataset import Dataset
from tinysearch.data.images import Images
from tinysearch.deploy.code import Vectors, numeric_of, write_code
from tinysearch.deploy.folder import Folder
from tinysearch.deploy.int8 import Int8Network, int8_network
from tinysearch.deploy.trained import Trained
from tinysearch.space.architecture import Architecture
from tinysearch.space.task import BYTES, REAL, Task

Make = Callable[..., Trained]
Write = Callable[..., tuple[Trained, Int8Network | None, np.ndarray]]


def _of_space() -> ModuleType:
    """Load the conftest of tests/space, whose architectures know no bounds of any search space."""
    path = Path(__file__).parents[1] / "space" / "conftest.py"
    spec = importlib.util.spec_from_file_location("conftest_of_space", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_SPACE = _of_space()
TASKS: tuple[Task, ...] = _SPACE.TASKS


@pytest.fixture(scope="session")
def free_form() -> st.SearchStrategy[tuple[Architecture, Task]]:
    return st.tuples(_SPACE.architectures(), st.sampled_from(TASKS))


@pytest.fixture(scope="session")
def make_trained() -> Make:
    """Return a function that builds a network with random weights, statistics and offsets."""

    def make(architecture: Architecture, task: Task | None = None, seed: int = 0, scaling: Any = None) -> Trained:
        from tinysearch.runtime.backend import load_keras

        load_keras()
        from tinysearch.space.keras_builder import build

        rng = np.random.default_rng(seed)
        wanted = task or Task()
        channels = wanted.input_shape[2]
        # As it is standardized: each channel in its own way.
        scales = [1 / (60 + 20 * channel) for channel in range(channels)]
        offsets = [-1.5 + 0.4 * channel for channel in range(channels)]
        scaling = scaling or ((1 / 255, 0.0) if channels == 1 else (scales, offsets))
        model = build(architecture, wanted, scale=scaling[0], offset=scaling[1])
        for layer in model.layers:
            if layer.get_weights():
                layer.set_weights(_random(layer, rng))
        return Trained("a network", architecture, model, {"seed": seed})

    return make


def _random(layer: Any, rng: np.random.Generator) -> list[np.ndarray]:
    arrays = layer.get_weights()
    if "Normalization" in type(layer).__name__:
        # A gain below zero turns weights round.
        gains = rng.normal(1, 0.5, arrays[0].shape) * rng.choice([1, -1], arrays[0].shape, p=[0.8, 0.2])
        return [gains, *(rng.normal(0, 0.3, arrays[0].shape) for _ in range(2)), rng.uniform(0.3, 2, arrays[0].shape)]
    return [
        rng.normal(0, 0.2, one.shape) if one.ndim == 1 else rng.normal(0, one[..., 0].size ** -0.5, one.shape)
        for one in arrays
    ]


@pytest.fixture(scope="session")
def random_pixels() -> Callable[..., np.ndarray]:
    """Return a function that draws raw pixels: bytes of all values, or what the task says."""

    def draw(task: Task, count: int = 24, seed: int = 0) -> np.ndarray:
        rng = np.random.default_rng(seed)
        if task.values == REAL:
            return rng.normal(100, 60, (count, *task.input_shape)).astype(np.float32)
        low, high = (0, 256) if task.values == BYTES else (60, 180)
        return rng.integers(low, high, (count, *task.input_shape), np.uint8)

    return draw


@pytest.fixture(scope="session")
def write_c(make_trained: Make, random_pixels: Callable[..., np.ndarray]) -> Write:
    """Return a function that writes the C code of a network, and gives what it was made of and the images."""

    def write(
        folder: Path, architecture: Architecture, dtype: str = "int8", task: Task | None = None
    ) -> tuple[Trained, Int8Network | None, np.ndarray]:
        trained = make_trained(architecture, task)
        pixels = random_pixels(task or Task())
        int8 = int8_network(trained, pixels) if dtype == "int8" else None
        logits = trained.logits(pixels) if int8 is None else int8.logits(pixels)
        labels = np.zeros(len(pixels), np.int32)
        tolerance = 1.0 if int8 is not None else 1e-4 * max(1.0, float(np.abs(logits).max()))
        names = [f"class {number}" for number in range(trained.task.classes)]
        numeric = numeric_of(trained, int8, bytes_in=pixels.dtype == np.uint8)
        write_code(Folder(folder), trained, numeric, names, Vectors(pixels, labels, logits, tolerance))
        return trained, int8, pixels

    return write


@pytest.fixture(scope="session")
def dataset(random_pixels: Callable[..., np.ndarray]) -> Dataset:
    """Return images without meaning, of MNIST's shape."""

    def part(count: int, seed: int) -> Images:
        return Images(random_pixels(Task(), count, seed), (np.arange(count) % 10).astype(np.int32))

    return Dataset("noise", "drawn", Task(), part(60, 0), "0123456789abcdef", 255.0, None, lambda: part(30, 1))
