"""``reproduce``: the hand-designed baselines, and what was found, trained again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from tinysearch.cli import options
from tinysearch.cli.numbers import positive, whole
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.cli.signals import terminations
from tinysearch.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from tinysearch.baselines.reproduce import Recorded
    from tinysearch.data.dataset import Dataset
    from tinysearch.results.store import Store
    from tinysearch.training.recipe import Recipe


@reported
def reproduce(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[conv|separable|inception|KEY]...",
            help="Which models; all three documented ones if none is named. 'leaderboard' lists keys, and so does "
            "'leaderboard --reference'.",
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="How many trainings of each, with seeds 0, 1, ...")
    ] = 1,
    recipe: Annotated[
        str | None,
        typer.Option(help="documented, as they were made, or default, as the search trains. [documented]"),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(parser=whole, metavar="N", help="Epochs that every hand-designed baseline is trained for. [10]"),
    ] = None,
    plateau_factor: Annotated[
        float | None,
        typer.Option(help="The documented learning-rate rule divides the rate by this; 1 changes nothing. [1]"),
    ] = None,
    workers: options.Workers = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    store: options.Store = None,
) -> None:
    """Train hand-designed baselines, or what was found by its own recipe, and compare with their figures.

    What was trained already is taken from the store. The test images are used once per training.

    Example: tinysearch reproduce conv separable --seeds 3
    """
    from tinysearch.baselines.models import BASELINES, PREFIX, baseline
    from tinysearch.baselines.reproduce import recorded
    from tinysearch.cli.evaluations import at_a_time
    from tinysearch.data.checks import checked
    from tinysearch.data.loading import load
    from tinysearch.results.store import Store, default_path
    from tinysearch.training.recipe import recipe as named_recipe

    keys = list(dict.fromkeys(name for name in models or [] if name.removeprefix(PREFIX) not in BASELINES))
    names = list(dict.fromkeys(baseline(name).name for name in models or BASELINES if name not in keys))
    for option, value in (("--recipe", recipe), ("--epochs", epochs), ("--plateau-factor", plateau_factor)):
        if keys and value is not None:
            raise InputError(f"{keys[0]} is trained by the recipe that it was found with; leave {option} {value} out")
    how = replace(
        named_recipe(recipe or "documented", epochs=10 if epochs is None else epochs),
        plateau_factor=1.0 if plateau_factor is None else plateau_factor,
    )
    path = store or default_path()
    rows = [recorded(key, path) for key in keys]
    notes, console = stderr(), stdout()
    with terminations(), Store(path, create=True) as opened:
        images = checked(load(dataset, data))
        if images.fallback:
            notes.print(Text(f"note: {images.fallback}", style="bold yellow"))
        size = at_a_time(workers, (len(names) + len(rows)) * seeds, images, notes)
        if names:
            console.print(_documented(names, how, range(seeds), opened, images, notes, size))
        if rows:
            console.print(_found(rows, range(seeds), opened, images, notes, size))


def _documented(
    names: Sequence[str],
    how: Recipe,
    seeds: Sequence[int],
    store: Store,
    images: Dataset,
    notes: Console,
    workers: int,
) -> RenderableType:
    """Train hand-designed baselines; return how they compare."""
    from tinysearch.api import Workers
    from tinysearch.baselines.reproduce import reproduce as reproduce_models
    from tinysearch.baselines.table import comparison
    from tinysearch.cli.evaluations import Shown
    from tinysearch.cli.progress import TrainingProgress

    size = min(workers, len(names) * len(seeds))
    with TrainingProgress(notes, len(names) * len(seeds), how.epochs, workers=size) as progress:
        results = reproduce_models(
            names,
            images,
            how,
            seeds,
            store,
            run=f"reproduce-{images.name}",
            worker=Workers()(images.evaluation_data(hold_out=True), size),
            size=size,
            watcher=Shown(progress),
        )
    return comparison(results, images, how)


def _found(
    rows: Sequence[Recorded],
    seeds: Sequence[int],
    store: Store,
    images: Dataset,
    notes: Console,
    workers: int,
) -> RenderableType:
    """Train what was trained before on all training images; return how it compares."""
    from tinysearch.baselines.reproduce import AGAIN, ensure_run
    from tinysearch.baselines.table import again
    from tinysearch.cli.evaluations import evaluated
    from tinysearch.search.retraining import Retraining

    run = AGAIN + images.name
    ensure_run(store, run, images, {"kind": "again"})
    planned = [Retraining(row.candidate, seed, run, row.name, row.origin) for row in rows for seed in seeds]
    records = evaluated(store, planned, images, notes, workers)
    return again(rows, records, images)
