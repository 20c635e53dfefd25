"""Scoring evaluated networks in int8: what quantization costs, on the test images, once for each training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tinysearch.data.dataset import Dataset
from tinysearch.deploy.evidence import scored_in_int8
from tinysearch.deploy.trained import Trained
from tinysearch.errors import CandidateError
from tinysearch.results.artifacts import kept_model, saved
from tinysearch.results.record import INT8_ACCURACY, Record
from tinysearch.results.store import Store
from tinysearch.runtime.backend import load_model


def score_in_int8(
    store: Store, records: Sequence[Record], dataset: Dataset, tell: Callable[[str], None] | None = None
) -> list[Record]:
    """Score the networks of evaluations in int8, as LiteRT's reference kernels compute it, and store what came of it.

    Each is quantized with training images, and scored once: what was scored before is taken from its record.

    Args:
        store: Has the records, and their models beside it.
        records: Evaluations.
        dataset: What they were evaluated on.
        tell: Is told before the first is scored.

    Returns:
        The records with the metric ``"int8_accuracy"`` on the test images; those of failures as they are.

    Raises:
        CandidateError: if a model was not kept.
        DatasetError: if there are no test images.
        StoreWriteError: if a figure cannot be stored.
    """
    scored = []
    told = False
    for record in records:
        if record.failed or INT8_ACCURACY in record.test_metrics:
            scored.append(record)
            continue
        folder = store.folder_of(record.run)
        path = kept_model(folder, record)
        if path is None:
            raise CandidateError(
                f"the model of {record.name} with seed {record.seed} is not at {saved(folder, record)} any more, so it "
                f"cannot be scored in int8; evaluate with seeds that are new, or in another `store=`"
            )
        if tell is not None and not told:
            tell("the networks are quantized to int8 and scored on the test images")
            told = True
        network = Trained(record.name, record.architecture, load_model(path), {"seed": record.seed})
        accuracy = scored_in_int8(network, dataset).accuracy
        store.note_test_metric(record, INT8_ACCURACY, accuracy)
        scored.append(replace(record, test_metrics={**record.test_metrics, INT8_ACCURACY: accuracy}))
    return scored
