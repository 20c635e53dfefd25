from __future__ import annotations

import importlib.util
import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import pytest
from trainings import prepare

OnJax = Callable[..., Any]


@pytest.fixture(scope="session")
def on_jax(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OnJax]:
    """Return a function that calls another one where Keras is on JAX, in one process for all tests."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is missing: pip install jax")
    # What is trained in milliseconds need not be compiled well, nor twice.
    surroundings = {
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": "--xla_backend_optimization_level=0",
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path_factory.mktemp("compiled")),
    }
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, initializer=prepare, initargs=(surroundings,)) as pool:
        yield lambda function, *given: pool.submit(function, *given).result()
