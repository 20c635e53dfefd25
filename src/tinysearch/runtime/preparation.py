"""Preparation of a process for training: equal seeds give equal results, and several processes can share a machine.

It changes the whole process, so only processes that do nothing but train call it: workers, and benchmarks and tests
that train in their own process.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinysearch.runtime.backend import backend, load_keras, quiet
from tinysearch.runtime.compilation import keep_compiled

_threads: int | None = None


def prepare_to_train(threads: int | None = None, *, bare: bool = False) -> None:
    """Load Keras and configure determinism, threads, float type, image format and GPU memory.

    Args:
        threads: Number of threads of the backend if it is not loaded yet; None for the default of the backend.
        bare: Whether to load Keras without its wrappers for scikit-learn, which take a fifth of the time.

    Raises:
        WorkError: see ``load_keras``.
    """
    global _threads
    name = backend()
    os.environ["KERAS_BACKEND"] = name
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if name == "jax":
        # GPUs use the same kernels and the same order of sums every time.
        flags = ["--xla_gpu_deterministic_ops=true", *(["--xla_cpu_multi_thread_eigen=false"] if threads == 1 else [])]
        os.environ["XLA_FLAGS"] = " ".join([os.environ.get("XLA_FLAGS", ""), *flags]).strip()
    # TensorFlow loads an installed JAX to convert its models.
    unwanted = [*(["jax"] if name == "tensorflow" else []), *(["sklearn"] if bare else [])]
    with absent(*unwanted):
        load_keras()
    import keras

    # A user's keras.json must not change the training.
    keras.config.set_image_data_format("channels_last")
    keras.config.set_floatx("float32")
    keras.config.set_dtype_policy("float32")
    with quiet():
        if name == "tensorflow":
            _prepare_tensorflow(threads)
        elif name == "jax":
            keep_compiled()
        elif name == "torch":
            import torch

            torch.use_deterministic_algorithms(True)
            if threads is not None:
                torch.set_num_threads(threads)
    _threads = threads if threads is not None else _threads


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Make packages that are not loaded yet look as if they were not installed."""
    hidden = [package for package in packages if package not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del modules[package]


def threads() -> int:
    """Return the configured number of threads of the backend; 0 for its default."""
    return _threads or 0


def _prepare_tensorflow(threads: int | None) -> None:
    import tensorflow as tf

    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for device in tf.config.list_physical_devices("GPU"):
        # Several processes share the device. A device that is already initialized keeps its settings.
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(device, True)
    tf.get_logger().setLevel("ERROR")
    tf.config.experimental.enable_op_determinism()
    tf.constant(0)
