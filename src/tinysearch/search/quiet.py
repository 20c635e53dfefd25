"""Loading TensorFlow without its remarks about its own build."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from tinysearch.errors import WorkError


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


def load_keras_tuner() -> None:
    """Load KerasTuner, silently, and TensorFlow and Keras with it."""
    load_tensorflow()
    with quiet():
        import keras_tuner  # noqa: F401


def load_tensorflow(threads: int | None = None) -> None:
    """Load TensorFlow and Keras, silently, and make TensorFlow deterministic.

    Args:
        threads: How many threads TensorFlow may use, if it was not loaded before; None for as many as it likes.
    """
    if "keras" not in sys.modules:
        os.environ["KERAS_BACKEND"] = "tensorflow"
    with quiet():
        import keras
        import tensorflow as tf

        if keras.backend.backend() != "tensorflow":
            raise WorkError(
                f"Keras was loaded with the backend {keras.backend.backend()!r} before tinysearch; tensorflow is needed"
            )
        # What a user's keras.json says must not change what is built.
        keras.config.set_image_data_format("channels_last")
        keras.config.set_floatx("float32")

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
