"""Loading Keras and what it runs on: silently, and so that the same seed gives the same numbers."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tinysearch.errors import WorkError

BACKENDS = ("tensorflow", "jax", "torch")

_threads: int | None = None


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what libraries write straight to standard error from the terminal while they are loaded.

    TensorFlow's compiled parts do so before any setting of theirs takes effect. If loading fails, what was
    written is shown.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        # There is no standard error to keep anything from.
        yield
        return
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        except BaseException:
            os.dup2(kept, 2)
            written.seek(0)
            sys.stderr.write(written.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def absent(*packages: str) -> Iterator[None]:
    """Have packages look as if they were not installed, where they are not loaded already."""
    hidden = [package for package in packages if package not in sys.modules]
    modules: dict[str, Any] = sys.modules
    modules.update(dict.fromkeys(hidden))
    try:
        yield
    finally:
        for package in hidden:
            del modules[package]


def load_keras_tuner() -> None:
    """Load KerasTuner, silently, and Keras with it."""
    load_keras()
    with quiet():
        import keras_tuner  # noqa: F401


def load_keras(threads: int | None = None, *, bare: bool = False) -> None:
    """Load Keras, silently, with the backend that KERAS_BACKEND names, TensorFlow if it names none.

    Args:
        threads: How many threads the backend may use, if it was not loaded before; None for as many as it likes.
        bare: Load Keras without its wrappers for scikit-learn, which take a fifth of the time.

    Raises:
        WorkError: if there is no such backend, it is not installed, or Keras was loaded with another one before.
    """
    global _threads
    name = backend()
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = name
    if name == "jax" and threads == 1:
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_cpu_multi_thread_eigen=false".strip()
    # TensorFlow loads JAX where it is installed, to convert models of it.
    unwanted = [*(["jax"] if name == "tensorflow" else []), *(["sklearn"] if bare else [])]
    with quiet(), absent(*unwanted):
        try:
            import keras
        except ModuleNotFoundError as error:
            raise WorkError(
                f"Keras cannot run on {name}: {error}; install it, or set KERAS_BACKEND to another"
            ) from None
        if keras.backend.backend() != name:
            raise WorkError(
                f"Keras was loaded with the backend {keras.backend.backend()!r} before tinysearch, {name!r} is wanted; "
                f"set KERAS_BACKEND={keras.backend.backend()}"
            )
        # What a user's keras.json says must not change what is built.
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")
        if name == "tensorflow":
            _prepare_tensorflow(threads)
        elif name == "torch":
            import torch

            torch.use_deterministic_algorithms(True)
            if threads is not None:
                torch.set_num_threads(threads)
    _threads = threads if threads is not None else _threads


def backend() -> str:
    """Return what Keras is to run on.

    Raises:
        WorkError: if the environment names something else than a backend of Keras.
    """
    name = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if name not in BACKENDS:
        raise WorkError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}; got {name!r}")
    return name


def threads() -> int:
    """Return how many threads the backend was given; 0 if that was left to it."""
    return _threads or 0


def _prepare_tensorflow(threads: int | None) -> None:
    import tensorflow as tf

    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)
    for device in tf.config.list_physical_devices("GPU"):
        # Several processes share it. What was initialized before is as its owner wants it.
        with contextlib.suppress(RuntimeError):
            tf.config.experimental.set_memory_growth(device, True)
    tf.get_logger().setLevel("ERROR")
    tf.config.experimental.enable_op_determinism()
    tf.constant(0)
