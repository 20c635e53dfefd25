"""Export of training curves and hyperparameters for TensorBoard."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tinysearch.errors import InputError
from tinysearch.results.record import ACCURACY, Record
from tinysearch.space.architecture import digest
from tinysearch.space.notation import notation


def to_tensorboard(records: Iterable[Record], folder: Path) -> int:
    """Write a log for each training below a folder, for ``tensorboard --logdir``.

    The curves are scalars, with one step per epoch; the HParams plugin shows costs and recipe next to the last values.

    Returns:
        Number of logs written. Failed trainings have none.

    Raises:
        InputError: if TensorBoard is not installed, or the folder cannot be written.
    """
    try:
        import tensorflow as tf
        from tensorboard.plugins.hparams import api as hparams
    except ImportError as error:
        raise InputError(f"the export needs TensorBoard and TensorFlow ({error}): pip install tensorboard") from None
    written = 0
    for record in records:
        if record.failed:
            continue
        # Names of runs may not be valid paths.
        place = folder / digest(record.run) / f"{record.key}-{record.purpose}-{record.seed}"
        try:
            writer = tf.summary.create_file_writer(str(place), filename_suffix=".tinysearch")
            with writer.as_default():
                hparams.hparams(_hyperparameters(record), trial_id=f"{record.run}/{record.key}/{record.seed}")
                _scalars(record, tf.summary.scalar)
            writer.close()
        except (OSError, tf.errors.OpError) as error:
            raise InputError(f"{folder} cannot be written ({error}); name another folder") from None
        written += 1
    return written


def _hyperparameters(record: Record) -> dict[str, Any]:
    """Return the network, costs, seed and recipe of a training as a flat dictionary."""
    return {
        "run": record.run,
        "layers": notation(record.architecture),
        "params": record.cost.params,
        "macs": record.cost.macs,
        "seed": record.seed,
        **{f"recipe/{name}": value for name, value in record.recipe.items()},
    }


def _scalars(record: Record, scalar: Any) -> None:
    for step, epoch in enumerate(record.measurement.curve, start=1):
        for name in ("loss", "accuracy", "val_loss", "val_accuracy", "learning_rate"):
            value = getattr(epoch, name)
            if value is not None:
                scalar(f"epoch/{name}", value, step=step)
        for name, value in epoch.metrics.items():
            scalar(f"epoch/val_{name}", value, step=step)
    if record.test_accuracy is not None:
        for name, value in {ACCURACY: record.test_accuracy, **record.test_metrics}.items():
            scalar(f"test_{name}", value, step=len(record.measurement.curve))
