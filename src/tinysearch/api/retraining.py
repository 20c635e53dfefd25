"""Functions behind ``import tinysearch`` that train known candidates again: evaluations and reproductions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinysearch.api.callbacks import CallbackLike, callbacks_of, failure_told
from tinysearch.api.inputs import load_data, open_store, shown, tell_of_interruption
from tinysearch.api.kinds import check_instead, check_kinds
from tinysearch.api.known_data import Given, data_of_first, load_data_of
from tinysearch.errors import InputError, check_type
from tinysearch.results.callback import Callback, Callbacks

if TYPE_CHECKING:
    from tinysearch.baselines.recorded import Recorded
    from tinysearch.baselines.reproduce import Reproduction
    from tinysearch.data.dataset import Dataset
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.record import Record
    from tinysearch.results.store import Store
    from tinysearch.training.job import Resources
    from tinysearch.training.recipe import Recipe
    from tinysearch.workers.executor import Executor


def evaluate(
    run: str,
    *,
    top: int = 1,
    seeds: int = 3,
    int8: bool = False,
    data: Any = "auto",
    dataset: str = "auto",
    reading: Reading | None = None,
    store: Store | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    callbacks: Iterable[CallbackLike] = (),
    verbose: bool | int = True,
) -> list[Record]:
    """Train the best candidates of a run on all training images, and score them on the test images.

    Evaluations that are in the store already are not repeated. A failed one is replaced by one with another seed.

    Args:
        run: Name of the run.
        top: Number of candidates to evaluate, best validation first.
        seeds: Number of trainings of each candidate, with seeds 0, 1, ...
        int8: Whether to score the networks in int8 too, as computed by LiteRT's reference kernels.
        data, dataset, reading: See ``Study``; by default the data of the run.
        store, callbacks, verbose: See ``Study``.
        workers, executor: See ``Study.run``.

    Returns:
        Records of the evaluations; a failed one contains the reason.

    Raises:
        InputError: if an argument cannot be used.
        RunError: if the run does not exist, has no candidate, or used other data.
        DatasetError: if the dataset has no usable test images.
        CandidateError: if ``int8`` is set and a model was not kept.
        WorkError: if something fails during the work.
        KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
    """
    from tinysearch.baselines.reproduce import resources_of
    from tinysearch.results.callback import Stage
    from tinysearch.search.evaluation import best_of, with_other_seeds
    from tinysearch.search.evaluation import evaluate as carry_out

    heard = Callbacks(callbacks_of(callbacks))
    with failure_told(heard):
        check_type("run", run, str, "a text, the name of a run")
        check_kinds(run=run, top=top, seeds=seeds, reading=reading, store=store, workers=workers, verbose=verbose)
        check_instead(executor, workers=workers)
        callback = Callbacks([heard, *shown(verbose)])
        with _opened(store, create=False) as opened:
            known = opened.run(run)
            images = load_data_of(known, Given(data, dataset, reading))
            if not images.read_from.in_memory and images.read_from.to_dict() != known.source:
                opened.note_source(run, images.read_from.to_dict())
            planned = with_other_seeds(opened, best_of(opened, run, images, top, range(seeds)))
            with _workers(executor, workers, images, len(planned)) as (where, resources):
                stage = Stage(
                    "evaluation",
                    run,
                    len(planned),
                    max(one.epochs for one in planned),
                    min(where.capacity, len(planned)),
                )
                used = resources_of(opened.run(run), resources)
                with _interruption_told(opened, run, verbose):
                    _tell(where, resources, images, callback)
                    records = carry_out(opened, planned, images, where, callback, stage, resources=used)
                    if int8:
                        from tinysearch.deploy.scoring import score_in_int8

                        records = score_in_int8(opened, records, images, callback.on_note)
                    _tell_failures(records, callback)
    heard.on_end("finished")
    return records


@dataclasses.dataclass(frozen=True, slots=True)
class Reproduced:
    """Results of candidates that were trained again.

    Args:
        dataset: The data they were trained on.
        recipe: Recipe of the hand-designed baselines.
        baselines: Documented and measured accuracy of each baseline.
        known: The earlier records of other candidates.
        records: The new trainings of these candidates, one per seed.
    """

    dataset: Dataset
    recipe: Recipe
    baselines: Sequence[Reproduction]
    known: Sequence[Recorded]
    records: Sequence[Record]

    def __repr__(self) -> str:
        """Show one candidate per line."""
        lines = [f"<Reproduced on {self.dataset.name}:"]
        lines += [f"  {one!r}" for one in (*self.baselines, *self.records)]
        return "\n".join(lines) + ">"


def reproduce(
    models: str | Iterable[str] = (),
    *,
    seeds: int = 1,
    recipe: Any = None,
    epochs: int | None = None,
    plateau_factor: float | None = None,
    run: str | None = None,
    data: Any = "auto",
    dataset: str = "auto",
    reading: Reading | None = None,
    store: Store | Path | str | None = None,
    workers: int | None = None,
    executor: Executor | None = None,
    callbacks: Iterable[CallbackLike] = (),
    verbose: bool | int = True,
) -> Reproduced:
    """Train hand-designed baselines again, or found candidates with their own recipe.

    Trainings that are in the store already are not repeated. A failed one is replaced by one with another seed.

    Args:
        models: One or several of ``"conv"``, ``"separable"``, ``"inception"``, and keys of candidates in the store or
            among the reference results; by default all three baselines.
        seeds: Number of trainings of each candidate, with seeds 0, 1, ...
        recipe: Recipe of the baselines; by default the documented one.
        epochs: Number of epochs of the baselines; by default 10.
        plateau_factor: Divisor of the documented learning-rate rule; by default 1, which keeps the rate.
        run: Name of the run whose data is used if no other data is given.
        data, dataset, reading: See ``Study``; by default the data of ``run``, or of the run that found the first key.
        store, callbacks, verbose: See ``Study``.
        workers, executor: See ``Study.run``.

    Raises:
        InputError: if an argument cannot be used.
        WorkError: if something fails during the work.
        KeyboardInterrupt: on Ctrl-C; finished trainings are in the store.
    """
    from tinysearch.baselines.models import BASELINES, PREFIX, baseline
    from tinysearch.baselines.recorded import recorded
    from tinysearch.baselines.reproduce import reproduce as reproduce_baselines
    from tinysearch.baselines.reproduce import reproduce_found
    from tinysearch.search.given import recipe_of

    heard = Callbacks(callbacks_of(callbacks))
    with failure_told(heard):
        check_kinds(seeds=seeds, run=run, reading=reading, store=store, workers=workers, verbose=verbose)
        check_instead(executor, workers=workers)
        check_type("models", models, Iterable, "the name of a baseline, a key, or several of them")
        wanted = [models] if isinstance(models, str) else list(models)
        for one in wanted:
            check_type("models", one, str, "made of names of baselines and keys")
        keys = list(dict.fromkeys(name for name in wanted if name.removeprefix(PREFIX) not in BASELINES))
        names = list(dict.fromkeys(baseline(name).name for name in wanted or BASELINES if name not in keys))
        for name, value in (("recipe", recipe), ("epochs", epochs), ("plateau_factor", plateau_factor)):
            if keys and value is not None:
                raise InputError(
                    f"{keys[0]} is trained with the recipe it was found with; leave out `{name}={value!r}`"
                )
        how = recipe_of(recipe or "documented", 10)
        if epochs is not None:
            how = dataclasses.replace(how, epochs=epochs)
        if plateau_factor is not None:
            how = dataclasses.replace(how, plateau_factor=plateau_factor)
        callback = Callbacks([heard, *shown(verbose)])
        with _opened(store) as opened:
            known = [recorded(key, opened) for key in keys]
            # The hand-designed baselines were trained with the last tenth held out.
            runs = [one.found_in for one in known] if run is None else [opened.run(run)]
            images = load_data(*data_of_first(runs, Given(data, dataset, reading))).as_in({})
            kept = f"reproduce-{images.name}"
            trainings = (len(names) + len(known)) * seeds
            with (
                _workers(executor, workers, images, trainings) as (where, resources),
                _interruption_told(opened, kept, verbose),
            ):
                _tell(where, resources, images, callback)
                results = reproduce_baselines(
                    names,
                    images,
                    how,
                    range(seeds),
                    opened,
                    run=kept,
                    executor=where,
                    callback=callback,
                    resources=resources,
                )
                records = reproduce_found(
                    known, images, range(seeds), opened, executor=where, callback=callback, resources=resources
                )
                _tell_failures(records, callback)
    heard.on_end("finished")
    return Reproduced(images, how, results, known, records)


@contextmanager
def _opened(store: Store | Path | str | None, *, create: bool = True) -> Iterator[Store]:
    from tinysearch.results.store import Store

    if isinstance(store, Store):
        yield store
    else:
        with open_store(store, create=create) as opened:
            yield opened


@contextmanager
def _workers(
    executor: Executor | None, wanted: int | None, dataset: Dataset, trainings: int
) -> Iterator[tuple[Executor, Resources]]:
    """Yield an executor, by default with as many processes as cores and memory allow, and the resources of a job."""
    from tinysearch.runtime.capacity import Capacity
    from tinysearch.training.job import Resources
    from tinysearch.workers.local.executor import LocalExecutor

    if executor is not None:
        yield executor, Resources(executor.threads_per_job())
        return
    size = max(1, min(wanted or Capacity.here(dataset.train.pixels.nbytes).workers, trainings))
    with LocalExecutor(size) as local:
        yield local, Resources(local.threads_per_job())


@contextmanager
def _interruption_told(store: Store, run: str, verbose: bool | int) -> Iterator[None]:
    """On Ctrl-C, print how much of a run is stored, and raise again."""
    try:
        yield
    except KeyboardInterrupt:
        if verbose:
            tell_of_interruption(store, run, "repeat the call to continue")
        raise


def _tell(executor: Executor, resources: Resources, dataset: Dataset, callback: Callback) -> None:
    for note in (dataset.fallback, executor.note(dataset.train.pixels.nbytes, resources)):
        if note:
            callback.on_note(note)


def _tell_failures(records: Sequence[Record], callback: Callback) -> None:
    for record in records:
        if record.failed:
            callback.on_note(
                f"{record.name} could not be trained with seed {record.seed}: {record.measurement.failure}; the next "
                f"evaluation takes another seed in its place"
            )
