"""Fixtures that several folders of tests share."""

from __future__ import annotations

import base64
import functools
import gc
import gzip
import json
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import called, without_heavy_packages
from filelock import FileLock
from hypothesis import settings
from stand_ins import ALIKE, FakeWorker, Here, InProcess, Untrained, UntrainedWorker

from tinysearch.data.dataset import TrainingData
from tinysearch.results.record import Epoch, Measurement, Record
from tinysearch.runtime.preparation import prepare_to_train
from tinysearch.space.architecture import Architecture, Conv, Head
from tinysearch.space.cost import Cost
from tinysearch.space.search_space import SearchSpace
from tinysearch.training.job import EpochWatcher, Job, Outcome

# No test asserts a time, those of Hypothesis included. More examples: --hypothesis-profile=ci.
settings.register_profile("quick", deadline=None, max_examples=50)
settings.register_profile("ci", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("quick")

Launch = Callable[..., subprocess.CompletedProcess[str]]
Once = Callable[[Callable[[Path], Any]], Any]
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
    # Windows has no SIGHUP.
    known = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {one: signal.getsignal(one) for one in known}
    for one in known:
        signal.signal(one, signal.default_int_handler if one == signal.SIGINT else signal.SIG_DFL)
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.fixture(scope="session")
def needs() -> Callable[[object, str, str], None]:
    """Return a function for what a test needs and not every machine has.

    It takes whether that is there, what it is, and how it is had. Where it is not there the test is skipped; where
    ``$CI`` is set, it fails: there nothing may be left out in silence.
    """

    def check(is_there: object, what: str, remedy: str) -> None:
        if is_there:
            return
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{what} is missing, and CI leaves nothing out: {remedy}")
        pytest.skip(f"{what} is missing: {remedy}")

    return check


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """Return a function that has something made in an empty folder, once for all processes that run these tests.

    What is given back is pickled: to those who come later it is as it was at first, whatever became of it elsewhere.
    Who changes the folder takes a copy of it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent

    def do(make: Callable[[Path], Any]) -> Any:
        folder = shared / f"{make.__module__}.{make.__name__}"
        kept = folder.with_name(f"{folder.name}.pickle")
        with FileLock(f"{folder}.lock"):
            if not kept.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                kept.write_bytes(pickle.dumps(make(folder)))
            return pickle.loads(kept.read_bytes())  # noqa: S301

    return do


@pytest.fixture(scope="session")
def embedded() -> Callable[[str], Any]:
    """Return what unpacks the data of a report's page."""

    def unpack(page: str) -> Any:
        (packed,) = re.findall(r'<script type="text/plain" id="data">(.*?)</script>', page, re.DOTALL)
        return json.loads(gzip.decompress(base64.b64decode(packed)))

    return unpack


@pytest.fixture(scope="session")
def in_process() -> type[InProcess]:
    return InProcess


@pytest.fixture(scope="session")
def fake_worker() -> type[FakeWorker]:
    return FakeWorker


@pytest.fixture(scope="session")
def untrained_worker() -> type[UntrainedWorker]:
    return UntrainedWorker


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands start no processes and train nothing: scores are made of keys, models have their first weights.

    For what a command does with trainings, not for trainings.
    """
    _work_here(monkeypatch, Untrained().train_on)


@pytest.fixture
def untrained_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    """As ``untrained``, with scores so close together that no single training can tell who is the best."""
    _work_here(monkeypatch, Untrained(**ALIKE).train_on)


@pytest.fixture
def trained_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have commands start no processes, and train within this one, one candidate at a time."""
    lock = threading.Lock()

    def train_on(job: Job, data: TrainingData, on_epoch: EpochWatcher) -> Outcome:
        prepare_to_train()
        from tinysearch.training.trainer import train

        with lock:
            return train(job, data, on_epoch)

    _work_here(monkeypatch, train_on)


def _work_here(monkeypatch: pytest.MonkeyPatch, train_on: Callable[[Job, TrainingData, EpochWatcher], Outcome]) -> None:
    here = type("Here", (Here,), {"train_on": staticmethod(train_on)})
    monkeypatch.setattr("tinysearch.workers.local.executor.LocalExecutor", here)


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
        metrics: Mapping[str, float] | None = None,
        **fields: Any,
    ) -> Record:
        def epoch(number: int, score: float | None) -> Epoch:
            loss = None if score is None else 1 - score
            measured = metrics if metrics is not None and number > len(earlier) else {}
            return Epoch(0.5, 0.8, loss, score, 0.1, float(number), dict(measured))

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
def less_tiny(tiny_arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of ten times as many images to train on: 60 of them are validated on, enough for a race."""
    path = tmp_path_factory.mktemp("data") / "less-tiny.npz"
    labels = np.tile(tiny_arrays["y_train"], 10)
    pixels = np.tile(tiny_arrays["x_train"], (10, 1, 1))
    pixels += np.random.default_rng(1).integers(0, 6, pixels.shape, dtype=np.uint8)
    np.savez(path, **{**tiny_arrays, "x_train": pixels, "y_train": labels})
    return path


@pytest.fixture
def hasty_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have few attempts made to draw a network of some size: in a tiny space most sizes do not exist."""
    drawn = functools.partialmethod(SearchSpace.sample_between, attempts=4)
    monkeypatch.setattr(SearchSpace, "sample_between", drawn)


@pytest.fixture(scope="session")
def surroundings(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict[str, str]]:
    """Return a function that gives the environment of a command line that is run in a folder.

    The store is ``store.db`` in the folder. No dataset but those that ship with packages can be found: home is empty
    and the way to the network is closed.
    """
    home = str(tmp_path_factory.mktemp("home"))

    def environment(folder: Path, changes: dict[str, str]) -> dict[str, str]:
        unwanted = ("TINYSEARCH_DATA", "COLUMNS", "FORCE_COLOR", "NO_COLOR")
        inherited = {name: value for name, value in os.environ.items() if name not in unwanted}
        closed = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
        own = {"TINYSEARCH_STORE": str(folder / "store.db"), "HOME": home, "KERAS_HOME": home}
        return {**inherited, **closed, **own, **changes}

    return environment


@pytest.fixture(scope="session")
def prepare(surroundings: Callable[..., dict[str, str]]) -> Callable[..., dict[str, Any]]:
    """Return a function that gives the arguments of ``subprocess.run`` for a command line."""

    def arguments(folder: Path, *words: object, **environment: str) -> dict[str, Any]:
        return {
            "args": [sys.executable, "-c", MAIN, *map(str, words)],
            "cwd": folder,
            "env": surroundings(folder, environment),
            "text": True,
            "encoding": "utf-8",
        }

    return arguments


@pytest.fixture(scope="session")
def launch(prepare: Callable[..., dict[str, Any]]) -> Launch:
    """Return a function that runs the command line in a folder, in a process of its own, and waits for its end.

    Starting one takes a second or more: ``call`` does without where the process itself is not what is tested.
    """

    def run(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            **prepare(folder, *words, **environment), capture_output=True, stdin=subprocess.DEVNULL, timeout=300
        )

    return run


@pytest.fixture(scope="session")
def call(surroundings: Callable[..., dict[str, str]], launch: Launch) -> Launch:
    """Return a function that runs the command line in a folder, within this process.

    What Python reads at its start (variables named ``PYTHON...`` and ``LC_...``) needs a process, and gets one.
    """

    def run(folder: Path, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        if any(name.startswith(("PYTHON", "LC_", "LANG")) for name in environment):
            return launch(folder, *words, **environment)
        return called(folder, surroundings(folder, environment), *words)

    return run


@pytest.fixture
def tinysearch(call: Launch, tmp_path: Path) -> Launch:
    """Return the command line, run in ``tmp_path``."""
    return lambda *words, **environment: call(tmp_path, *words, **environment)


@pytest.fixture
def light(tinysearch: Launch) -> Launch:
    """Return the command line where TensorFlow cannot be loaded: what works here does not need it."""

    def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        with without_heavy_packages():
            return tinysearch(*words, **environment)

    return run
