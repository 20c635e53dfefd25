"""The trained network of a candidate: its kept model, or a new one from another training."""

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
    """Return a candidate's network and the record of its training; train it again if no model was kept.

    ``handed_out`` chooses among several trainings.

    Args:
        name: Name of the candidate.
        records: Its trainings.
        models: Path of the saved model of each training; None if it was not kept.
        dataset: Dataset that it was trained on.
        tell: Callback that receives a message before the candidate is trained again.

    Raises:
        CandidateError: if the candidate was never trained, or only on other data.
        TrainingError: if it cannot be trained again.
        WorkerError: if no worker can train on this machine.
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
    """Return the number of threads of a training; None if it is unknown."""
    said = str(Environment.from_dict(record.provenance).threads)
    return int(said) if said.isdecimal() and 1 <= int(said) <= MOST_THREADS else None
