from __future__ import annotations

import importlib.util
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tinysearch.errors import CandidateError
from tinysearch.runtime.backend import load_model, quiet


def test_what_compiled_code_writes_is_kept_from_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        os.write(2, b"a remark about the build\n")
    os.write(2, b"an error\n")
    assert capfd.readouterr().err == "an error\n"


def test_what_was_kept_is_shown_if_loading_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def load() -> None:
        with quiet():
            os.write(2, b"libfoo.so is missing\n")
            raise ImportError("no TensorFlow")

    with pytest.raises(ImportError):
        load()
    assert "libfoo.so is missing" in capfd.readouterr().err


def test_what_was_kept_is_not_shown_if_loading_is_interrupted(capfd: pytest.CaptureFixture[str]) -> None:
    def load() -> None:
        with quiet():
            os.write(2, b"a remark about the build\n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load()
    assert capfd.readouterr().err == ""


def test_a_model_is_loaded_without_drawing_from_the_generators_of_whoever_calls(tmp_path: Path) -> None:
    import keras

    layers = [keras.Input((2,)), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
    keras.Sequential(layers).save(tmp_path / "model.keras")
    before = random.getstate()
    assert load_model(tmp_path / "model.keras").output_shape == (None, 1)
    assert random.getstate() == before


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_model_that_cannot_be_read_is_named(damage: str, tmp_path: Path) -> None:
    import keras

    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "model.keras")
    content = bytearray((tmp_path / "model.keras").read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / "model.keras").write_bytes(content if damage == "flipped" else content[:20])
    with pytest.raises(CandidateError, match=r"the model .*model\.keras cannot be loaded .*remove the file"):
        load_model(tmp_path / "model.keras")


TRAIN = """
import importlib.util
import sys
from dataclasses import replace

class NotInstalled:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "tensorflow":
            raise ModuleNotFoundError(name)

found = importlib.util.find_spec
importlib.util.find_spec = lambda name, package=None: None if name == "tensorflow" else found(name, package)
sys.meta_path.insert(0, NotInstalled())
from tinysearch.runtime.preparation import prepare_to_train
prepare_to_train(1)
from tinysearch.training.candidate import Candidate
from tinysearch.data.dataset import TrainingData
from tinysearch.data.loading import load
from tinysearch.data.images import Images
from tinysearch.training.recipe import Recipe
from tinysearch.training.trainer import Keeping, fit
from tinysearch.space.architecture import Architecture, Conv, Dropout, Head, Pool

network = Architecture((Conv(4, stride=2, norm="after"), Dropout(0.25), Pool()), Head("average"))
whole = load("digits").training_data()
few = Images(whole.train.pixels[:60], whole.train.labels[:60])
data = TrainingData(whole.task, few, whole.validation, whole.full_scale)
candidate = Candidate(network, Recipe(epochs=2))

def curve(seed, on_epoch=None, keeping=None):
    return [replace(epoch, seconds=0.0) for epoch in fit(candidate, data, seed, on_epoch, keeping)[1].curve]

states = []

def interrupt(number, epoch, state):
    if number == 2:
        raise InterruptedError
    states.append(state)

try:
    curve(0, interrupt, Keeping("the data"))
except InterruptedError:
    pass
epochs = []
resumed = curve(0, lambda number, epoch, state: epochs.append(number), Keeping("the data", *states))
first, other = curve(0), curve(1)
print(first != other, first == resumed, epochs == [2], len(first), first[-1].loss < first[0].loss)
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["jax", "torch"])
def test_a_candidate_is_trained_and_resumed_where_tensorflow_is_not_installed(
    name: str, needs: Callable[..., None], tmp_path: Path
) -> None:
    needs(importlib.util.find_spec(name), name, f"pip install {name}")
    # JAX compiles for seconds what is trained in milliseconds: it need not do so well, nor twice.
    quickly = {
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "compiled"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    done = in_a_process(TRAIN, backend=name, **quickly)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True", "True", "2", "True"]


LOADED = """
import sys
from tinysearch.runtime.preparation import prepare_to_train
prepare_to_train(bare=True)
print("keras" in sys.modules, "jax" in sys.modules, "sklearn" in sys.modules)
import sklearn
"""


@pytest.mark.slow
def test_what_keras_does_not_need_is_not_loaded_with_it_and_can_be_loaded_later() -> None:
    done = in_a_process(LOADED, backend="tensorflow")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "False", "False"]


LOAD = "from tinysearch.runtime.backend import load_keras\n"


@pytest.mark.parametrize(
    ("code", "name", "remedy"),
    [
        (LOAD + "load_keras()", "theano", "KERAS_BACKEND must be one of tensorflow, jax, torch; got 'theano'"),
        ("import sys\nsys.modules['jax'] = None\n" + LOAD + "load_keras()", "jax", "Keras cannot run on jax"),
        (
            LOAD + "import os, keras\nos.environ['KERAS_BACKEND'] = 'tensorflow'\nload_keras()",
            "jax",
            "set KERAS_BACKEND=jax",
        ),
    ],
)
def test_a_backend_that_cannot_be_had_is_named_with_the_remedy(code: str, name: str, remedy: str) -> None:
    done = in_a_process(code, backend=name)
    assert done.returncode == 1
    assert "WorkError" in done.stderr
    assert remedy in done.stderr


def in_a_process(code: str, *words: object, backend: str, **changes: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "KERAS_BACKEND": backend, **changes}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
