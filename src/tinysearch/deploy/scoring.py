"""Scoring of evaluated networks in int8 on the test images, once per training, to measure the cost of quantization."""

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
    """Score the networks of evaluations in int8, as LiteRT's reference kernels compute it, and store the results.

    Each network is quantized with training images and scored once; an earlier score is taken from its record.

    Args:
        store: Store of the records; their models are kept next to it.
        records: Evaluations.
        dataset: Dataset that they were evaluated on.
        tell: Callback that receives a message before the first network is scored.

    Returns:
        The records with the metric ``"int8_accuracy"`` on the test images; failed ones are unchanged.

    Raises:
        CandidateError: if a model was not kept.
        DatasetError: if there are no test images.
        StoreWriteError: if a result cannot be stored.
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
                f"cannot be scored in int8; evaluate again in another `store=`"
            )
        if tell is not None and not told:
            tell("the networks are quantized to int8 and scored on the test images")
            told = True
        network = Trained(record.name, record.architecture, load_model(path), {"seed": record.seed})
        accuracy = scored_in_int8(network, dataset).accuracy
        store.note_test_metric(record, INT8_ACCURACY, accuracy)
        scored.append(replace(record, test_metrics={**record.test_metrics, INT8_ACCURACY: accuracy}))
    return scored
