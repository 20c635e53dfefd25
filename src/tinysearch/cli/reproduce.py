"""``reproduce``: the documented models, trained again."""

from __future__ import annotations

from typing import Annotated

import typer

from tinysearch.cli import options
from tinysearch.cli.numbers import positive
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.cli.signals import terminations


@reported
def reproduce(
    models: Annotated[
        list[str] | None,
        typer.Argument(metavar="[conv|separable|inception]...", help="Which models; all three if none is named."),
    ] = None,
    seeds: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="How many trainings of each, with seeds 0, 1, ...")
    ] = 1,
    recipe: Annotated[str, typer.Option(help="documented, as they were made, or default, as the search trains.")] = (
        "documented"
    ),
    epochs: options.Epochs = 10,
    plateau_factor: Annotated[
        float, typer.Option(help="The documented learning-rate rule divides the rate by this; 1 changes nothing.")
    ] = 1.0,
    workers: options.Workers = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    store: options.Store = None,
) -> None:
    """Train the documented models and compare with the documented figures.

    What was trained already is taken from the store. The test images are used once per training.

    Example: tinysearch reproduce conv separable --seeds 3
    """
    import dataclasses

    from tinysearch.api import worker_on
    from tinysearch.baselines.models import BASELINES, baseline
    from tinysearch.baselines.reproduce import reproduce as reproduce_models
    from tinysearch.cli.evaluations import Shown
    from tinysearch.cli.progress import TrainingProgress
    from tinysearch.results.store import Store, default_path
    from tinysearch.search.datasets import load
    from tinysearch.search.recipe import recipe as named_recipe
    from tinysearch.search.workers.cores import default_workers

    how = dataclasses.replace(named_recipe(recipe, epochs=epochs), plateau_factor=plateau_factor)
    names = list(dict.fromkeys(baseline(name).name for name in models or BASELINES))
    with terminations(), Store(store or default_path(), create=True) as opened:
        images = load(dataset, data)
        notes = stderr()
        if images.fallback:
            notes.print(f"[bold yellow]note:[/] {images.fallback}")
        size = min(workers or default_workers(), len(names) * seeds)
        with TrainingProgress(notes, len(names) * seeds, how.epochs, workers=size) as progress:
            results = reproduce_models(
                names,
                images,
                how,
                range(seeds),
                opened,
                run=f"reproduce-{images.name}",
                worker=worker_on(images.training_data(), size),
                size=size,
                watcher=Shown(progress),
            )
    from tinysearch.baselines.table import comparison

    stdout().print(comparison(results, images, how))
