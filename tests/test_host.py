"""Nothing of the process that calls tinysearch changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

# Prints what a whole run with evaluation changed, and what the process does afterwards.
HOST = """
import gc, json, locale, logging, os, random, signal, socket, sys, threading, warnings
import keras, keras_tuner, numpy as np, sklearn.datasets, threadpoolctl
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import config
import tinysearch

keras.config.set_floatx("float64")
keras.config.set_image_data_format("channels_first")
random.seed(3)
np.random.seed(4)
os.environ["KERASTUNER_TUNER_ID"] = "mine"

def state():
    numbers = np.random.get_state()
    return {
        "environment": dict(os.environ),
        "folder": os.getcwd(),
        "signals": [repr(signal.getsignal(one)) for one in signal.valid_signals()],
        "timeout": socket.getdefaulttimeout(),
        "random": hash(random.getstate()),
        "NumPy's random": hash((numbers[1].tobytes(), *numbers[2:])),
        "errors of NumPy": np.geterr(),
        "locale": locale.setlocale(locale.LC_ALL),
        "garbage": (gc.isenabled(), gc.get_freeze_count()),
        "path": list(sys.path),
        "streams": [repr(one) for one in (sys.stdout, sys.stderr, sys.excepthook)],
        "logging": (logging.root.level, len(logging.root.handlers), tf.get_logger().level),
        "warnings": [repr(one) for one in warnings.filters],
        "hidden modules": sorted(name for name, module in sys.modules.items() if module is None),
        "threads": sorted(one.name for one in threading.enumerate()),
        "descriptors": len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0,
        "pools": sorted((one["internal_api"], one["num_threads"]) for one in threadpoolctl.threadpool_info()),
        "determinism": config.is_op_determinism_enabled(),
        "TensorFlow's threads": [
            tf.config.threading.get_intra_op_parallelism_threads(),
            tf.config.threading.get_inter_op_parallelism_threads(),
        ],
        "TensorFlow's seed": context.global_seed(),
        "devices initialized": context.context()._initialized,
        "Keras": [
            keras.config.floatx(),
            keras.config.image_data_format(),
            keras.config.dtype_policy().name,
            sorted(keras.saving.get_custom_objects()),
        ],
    }

before = state()
given = {"data": sys.argv[1], "store": sys.argv[2], "trials": 1, "epochs": 1, "baselines": False}
with tinysearch.run(3_000, folds=1, evaluate=1, workers=1, **given) as study:
    best = study.best
after = state()
loaded = best.load()
drawn = [name for name, value in state().items() if "random" in name and value != after[name]]
tf.random.normal([1])
images = np.random.rand(4, 2)
model = keras.Sequential([keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(images, images[:, :1], shuffle=True, verbose=0)
print(json.dumps({
    "changed": {name: [repr(before[name]), repr(after[name])] for name in after if before[name] != after[name]},
    "tested": len(best.test_accuracies),
    "floatx": tf.keras.backend.floatx(),
    "drawn": drawn,
    "type": loaded.predict(np.zeros((1, 28, 28, 1)), verbose=0).dtype.name,
    "built": best.build().dtype,
    "params": best.build().count_params() == best.params,
}))
"""

# What Keras and TensorFlow set for their own sake on being imported is not ours.
LOADS = """
import json, os, random, sys
import numpy as np
from tinysearch.runtime.backend import load_keras_tuner
ours = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "XLA_FLAGS", "OMP_NUM_THREADS")
state = lambda: (
    {name: os.environ.get(name) for name in ours}, random.getstate(), str(np.random.get_state()),
    [name for name, module in sys.modules.items() if module is None],
)
before = state()
load_keras_tuner()
print(state() == before, "keras_tuner" in sys.modules)
"""

# Everything is loaded by the first call, libraries that draw from the generators among it.
FIRST_CALL = """
import random, sys
import numpy as np
import tinysearch
state = lambda: (random.getstate(), str(np.random.get_state()))
before = state()
given = {"data": sys.argv[1], "store": sys.argv[2], "trials": 1, "epochs": 1, "baselines": False}
with tinysearch.run(3_000, folds=1, evaluate=0, workers=1, **given) as study:
    str(study.leaderboard)
print(state() == before, "rich" in sys.modules)
"""


def in_a_process(code: str, *words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    unset = ("KERAS_BACKEND", "TF_CPP_MIN_LOG_LEVEL", "XLA_FLAGS", "OMP_NUM_THREADS")
    inherited = {name: value for name, value in os.environ.items() if name not in unset}
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def host(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = in_a_process(HOST, tiny, tmp_path_factory.mktemp("host") / "store.db", TF_CPP_MIN_LOG_LEVEL="2")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.slow
def test_a_run_with_its_evaluation_changes_nothing_of_the_process_that_calls_it(host: dict[str, Any]) -> None:
    assert host["changed"] == {}
    assert host["tested"] == 1
    assert host["floatx"] == "float64"


@pytest.mark.slow
def test_a_model_that_is_loaded_draws_from_no_global_generator(host: dict[str, Any]) -> None:
    assert host["drawn"] == []


@pytest.mark.slow
def test_models_are_loaded_and_built_as_they_were_trained_whatever_keras_is_set_to(host: dict[str, Any]) -> None:
    assert (host["type"], host["built"], host["params"]) == ("float32", "float32", True)


def test_the_first_call_draws_from_no_global_generator(tiny: Path, tmp_path: Path) -> None:
    done = in_a_process(FIRST_CALL, tiny, tmp_path / "store.db")
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True"]


def test_loading_keras_leaves_environment_generators_and_modules_alone() -> None:
    done = in_a_process(LOADS)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["True", "True"]
    assert done.stderr == ""
