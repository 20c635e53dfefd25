"""Fixtures that several folders of tests share."""

from __future__ import annotations

import base64
import functools
import gc
import gzip
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from tinysearch.data.datasets import TrainingData
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.cost import Cost
from tinysearch.training.job import EpochWatcher, Job
from tinysearch.workers.worker import Worker

# No test asserts a time, those of Hypothesis included.
settings.register_profile("timeless", deadline=None)
settings.load_profile("timeless")

HEAVY = ("tensorflow", "keras", "keras_tuner")
# Runs the command line as `tinysearch` does.
MAIN = "import sys; sys.argv[0] = 'tinysearch'; from tinysearch.cli.app import main; main()"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes minutes and leaves cores idle: else the other processes wait for it in the end."""
    items.sort(key=lambda item: item.path.name != "test_kills.py")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Spare the garbage collector what Keras loaded, as workers do: Keras calls it before each training."""
    if "keras" in sys.modules:
        _freeze()


@functools.cache
def _freeze() -> None:
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def signals_as_in_a_terminal() -> Iterator[None]:
    """Heed signals: what starts the tests may ignore some, as nohup does, and every process inherits that."""
    before = {one: signal.getsignal(one) for one in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)}
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture(scope="session")
def embedded() -> Callable[[str], Any]:
    """Return what unpacks the data of a report's page."""

    def unpack(page: str) -> Any:
        (packed,) = re.findall(r'<script type="text/plain" id="data">(.*?)</script>', page, re.DOTALL)
        return json.loads(gzip.decompress(base64.b64decode(packed)))

    return unpack


class InProcess(Worker):
    """Trains in this process, one candidate at a time."""

    def __init__(self, data: TrainingData) -> None:
        self.data = data
        self.jobs: list[Job] = []

    def train(self, job: Job, on_epoch: EpochWatcher | None = None) -> Measurement:
        from tinysearch.runtime.preparation import prepare_to_train

        prepare_to_train()
        from tinysearch.training.trainer import train

        self.jobs.append(job)
        return train(job, self.data, on_epoch)


@pytest.fixture(scope="session")
def in_process() -> type[InProcess]:
    return InProcess


@pytest.fixture(scope="session")
def make_record() -> Callable[..., Record]:
    """Return a function that makes a record; what is not given has a plausible value."""

    def make(
        key: str = "aaaaaaaaaaaa",
        *,
        val_accuracy: float | None = 0.9,
        earlier: tuple[float, ...] = (),
        params: int = 1_000,
        failure: str | None = None,
        train_seconds: float = 2.5,
        **fields: Any,
    ) -> Record:
        def epoch(number: int, score: float | None) -> Epoch:
            loss = None if score is None else 1 - score
            return Epoch(0.5, 0.8, loss, score, 0.1, float(number))

        curve = tuple(epoch(number, score) for number, score in enumerate((*earlier, val_accuracy), start=1))
        measurement = Measurement(() if failure else curve, train_seconds, failure)
        settings: dict[str, Any] = {
            "run": "first",
            "key": key,
            "name": key,
            "origin": "search",
            "purpose": "search",
            "trial": 0,
            "seed": 0,
            "dataset": "toy",
            "fingerprint": "0123456789abcdef",
            "architecture": Architecture((Conv(4),), Head("average")),
            "cost": Cost(params, 8, 50_000, 3_000, 2_000),
            "recipe": {"epochs": len(curve)},
            "measurement": measurement,
        }
        return Record(**{**settings, **fields})

    return make


@pytest.fixture(scope="session")
def tiny_arrays() -> dict[str, np.ndarray]:
    """Return images of ten classes, 60 to train and 20 to test: a bright row tells the class."""
    rng = np.random.default_rng(0)

    def part(count: int) -> tuple[np.ndarray, np.ndarray]:
        labels = (np.arange(count) % 10).astype(np.uint8)
        pixels = rng.integers(0, 60, (count, 28, 28), dtype=np.uint8)
        for image, label in zip(pixels, labels, strict=True):
            image[2 * label + 4] = 250
        return pixels, labels

    (x_train, y_train), (x_test, y_test) = part(60), part(20)
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


@pytest.fixture(scope="session")
def tiny(tiny_arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of ``tiny.npz``: MNIST's shapes, and small enough to train on in a second."""
    path = tmp_path_factory.mktemp("data") / "tiny.npz"
    np.savez(path, **tiny_arrays)
    return path


@pytest.fixture(scope="session")
def prepare(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, Any]]:
    """Return a function that gives the arguments of ``subprocess.run`` for a command line.

    The store is ``store.db`` in the folder given. No dataset but those that ship with packages can be found: home is
    empty and the way to the network is closed.
    """
    home = tmp_path_factory.mktemp("home")

    def arguments(folder: Path, *words: object, **environment: str) -> dict[str, Any]:
        unwanted = ("TINYSEARCH_DATA", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
        inherited = {name: value for name, value in os.environ.items() if name not in unwanted}
        closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        own = {"TINYSEARCH_STORE": str(folder / "store.db"), "HOME": str(home), "KERAS_HOME": str(home)}
        return {
            "args": [sys.executable, "-c", MAIN, *map(str, words)],
            "cwd": folder,
            "env": {**inherited, **closed, **own, **environment},
            "text": True,
            "encoding": "utf-8",
        }

    return arguments


@pytest.fixture(scope="session")
def launch(prepare: Callable[..., dict[str, Any]]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the command line in a folder and waits for its end."""

    def run(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **prepare(folder, *words, **environment), capture_output=True, stdin=subprocess.DEVNULL, timeout=300
        )

    return run


@pytest.fixture
def tinysearch(
    launch: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return the command line, run in ``tmp_path``."""
    return lambda *words, **environment: launch(tmp_path, *words, **environment)


@pytest.fixture(scope="session")
def blocked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return an environment in which loading TensorFlow, Keras or KerasTuner is an error."""
    folder = tmp_path_factory.mktemp("blocked")
    for name in HEAVY:
        (folder / f"{name}.py").write_text(f"raise ImportError('{name} is not to be loaded here')\n")
    return {"PYTHONPATH": str(folder)}


@pytest.fixture
def light(
    tinysearch: Callable[..., subprocess.CompletedProcess[str]], blocked: dict[str, str]
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return the command line where TensorFlow cannot be loaded: what works here does not need it."""
    return lambda *words, **environment: tinysearch(*words, **blocked, **environment)
