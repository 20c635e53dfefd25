"""Loading of Keras, silently and without side effects on the process of the caller.

Further preparation for training is in ``preparation``, which only processes that train call.
"""

from __future__ import annotations

import os
import random
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tinysearch.errors import CandidateError, WorkError
from tinysearch.runtime.scratch import scratch_file

BACKENDS = ("tensorflow", "jax", "torch")


@contextmanager
def quiet() -> Iterator[None]:
    """Hide what libraries write directly to standard error while they are loaded.

    TensorFlow's compiled code writes there before any of its settings takes effect. If loading fails, the hidden output
    is shown, except after Ctrl-C, which is no failure.
    """
    sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:
        # The process has no standard error.
        yield
        return
    with scratch_file() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        except Exception:
            os.dup2(kept, 2)
            written.seek(0)
            sys.stderr.write(written.read().decode(errors="replace"))
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


@contextmanager
def environment(changes: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables within a block.

    Other variables that a library sets while it is imported in the block keep their values.
    """
    before = {name: os.environ.get(name) for name in changes}
    os.environ.update(changes)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def python_generator_kept() -> Iterator[None]:
    """Restore the global random generator of Python after a block."""
    before = random.getstate()
    try:
        yield
    finally:
        random.setstate(before)


@contextmanager
def generators_kept() -> Iterator[None]:
    """Restore the global random generators of Python and NumPy after a block, because some libraries draw from them."""
    import numpy as np

    before = np.random.get_state()  # noqa: NPY002
    try:
        with python_generator_kept():
            yield
    finally:
        np.random.set_state(before)  # noqa: NPY002


def load_keras_tuner() -> None:
    """Load KerasTuner and Keras silently; see ``load_keras``."""
    load_keras()
    if "keras_tuner" not in sys.modules:
        with quiet(), generators_kept():
            import keras_tuner  # noqa: F401


def load_keras() -> None:
    """Load Keras silently with the backend in KERAS_BACKEND, by default TensorFlow.

    Nothing else changes, because the process may be a notebook: no setting of Keras or its backend and no environment
    variable. No device is initialized.

    Raises:
        WorkError: if the backend is unknown or not installed, or if Keras is already loaded with another one.
    """
    name = backend()
    if "keras" not in sys.modules:
        level = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "3")
        with quiet(), generators_kept(), environment({"KERAS_BACKEND": name, "TF_CPP_MIN_LOG_LEVEL": level}):
            _import_keras(name)
    import keras

    if keras.backend.backend() != name:
        raise WorkError(
            f"Keras is already loaded with the backend {keras.backend.backend()!r}, but tinysearch needs {name!r}; "
            f"set KERAS_BACKEND={keras.backend.backend()}"
        )


def load_model(path: Path) -> Any:
    """Load a saved Keras model without changing the global random generators, from which its layers draw seeds.

    Raises:
        CandidateError: if the file cannot be read.
        WorkError: if Keras cannot be loaded, see ``load_keras``.
    """
    load_keras()
    import keras

    try:
        with generators_kept():
            return keras.saving.load_model(path)
    except Exception as error:
        # Keras passes on the various exceptions of archives, JSON and HDF5.
        raise CandidateError(
            f"the model {path} cannot be loaded ({error}); remove the file to train it again"
        ) from None


def backend() -> str:
    """Return the name of the Keras backend to use.

    Raises:
        WorkError: if KERAS_BACKEND is not the name of a backend.
    """
    name = os.environ.get("KERAS_BACKEND") or BACKENDS[0]
    if name not in BACKENDS:
        raise WorkError(f"KERAS_BACKEND must be one of {', '.join(BACKENDS)}; got {name!r}")
    return name


def _import_keras(name: str) -> None:
    try:
        import keras  # noqa: F401
    except ModuleNotFoundError as error:
        raise WorkError(f"Keras cannot run on {name}: {error}; install it, or set KERAS_BACKEND to another") from None
