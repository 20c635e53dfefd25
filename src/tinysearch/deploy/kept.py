"""The trained network of a candidate: the model that was kept, or a new one by another training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from tinysearch.data.dataset import Dataset
from tinysearch.deploy.again import trained_again
from tinysearch.deploy.origin import origin_of
from tinysearch.deploy.trained import Trained
from tinysearch.errors import CandidateError
from tinysearch.results.artifacts import handed_out
from tinysearch.results.record import Record
from tinysearch.runtime.backend import load_model
from tinysearch.runtime.environment import Environment
from tinysearch.search.settings import MOST_THREADS
from tinysearch.training.candidate import Candidate
from tinysearch.training.recipe import Recipe


def trained_network(
    name: str,
    records: Sequence[Record],
    models: Sequence[Path | None],
    dataset: Dataset,
    tell: Callable[[str], None] | None = None,
) -> tuple[Trained, Record]:
    """Return a candidate's network with the model that was kept, else train it again; and the record that it is of.

    Which of several trainings that is, is said by ``handed_out``.

    Args:
        name: What it is called.
        records: Its trainings.
        models: Where the model of each was saved; None if it was not kept.
        dataset: What it was trained on.
        tell: Is told before it is trained again.

    Raises:
        CandidateError: if it was never trained, or on other data.
        TrainingError: if it cannot be trained again.
        WorkerError: if nothing can be trained here.
    """
    pairs = list(zip(records, models, strict=True))
    # The same network may have been trained on other images too.
    found = handed_out(one for one in pairs if one[0].fingerprint == dataset.fingerprint) or handed_out(pairs)
    if not records:
        raise CandidateError(
            f"{name} has not been trained in this store, so there is nothing to deploy; train it first, as "
            f"'tinysearch run' and 'tinysearch reproduce' do, or name one of 'tinysearch leaderboard'"
        )
    record, path = found or (records[-1], None)
    if record.fingerprint != dataset.fingerprint:
        raise CandidateError(
            f"{name} was trained on {record.dataset} with fingerprint {record.fingerprint}, the dataset given is "
            f"{dataset.name} with {dataset.fingerprint}; give the data it was trained on with `data=` or `dataset=`"
        )
    origin = origin_of(record, records, kept=path is not None)
    if path is not None:
        return Trained(name, record.architecture, load_model(path), origin), record
    if tell is not None:
        tell(f"the model of {name} was not kept; it is trained again, with seed {record.seed}")
    candidate = Candidate(record.architecture, Recipe.from_dict(record.recipe))
    model = trained_again(candidate, dataset, record.seed, _threads(record))
    return Trained(name, record.architecture, model, origin), record


def _threads(record: Record) -> int | None:
    """Return how many threads a training had; None if that is not known."""
    said = str(Environment.from_dict(record.provenance).threads)
    return int(said) if said.isdecimal() and 1 <= int(said) <= MOST_THREADS else None
