"""The command ``reproduce``: hand-designed baselines and found candidates, trained again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import completion, options, plugins, sources
from tinysearch.cli.numbers import positive, whole
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.cli.signals import terminations
from tinysearch.cli.spelling import spelled

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading


@reported
@sources.reads_data
def reproduce(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[conv|separable|inception|KEY]...",
            help="Models to train; by default the three baselines. 'leaderboard' and 'leaderboard --reference' list "
            "keys.",
            autocompletion=completion.models,
        ),
    ] = None,
    seeds: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="Number of trainings of each, with seeds 0, 1, ...")
    ] = 1,
    recipe: Annotated[
        str | None,
        typer.Option(help="documented, or default, which the search uses. [documented]"),
    ] = None,
    epochs: Annotated[
        int | None,
        typer.Option(parser=whole, metavar="N", help="Epochs to train every hand-designed baseline. [10]"),
    ] = None,
    plateau_factor: Annotated[
        float | None,
        typer.Option(help="Divisor of the documented learning-rate rule; 1 keeps the rate. [1]"),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            "--run", metavar="NAME", help="Run whose data to train on. [that of KEY]", autocompletion=completion.runs
        ),
    ] = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    store: options.Store = None,
    *,
    reading: Reading,
) -> None:
    """Train hand-designed baselines or found candidates again, and compare the results with their figures.

    Trainings that are in the store already are not repeated; where one failed, another seed takes its place. The test
    images are used once per training.

    Example: tinysearch reproduce conv separable --seeds 3
    """
    from tinysearch.api.retraining import reproduce as train_again
    from tinysearch.baselines.table import again, comparison
    from tinysearch.cli.evaluations import telling_what_is_kept
    from tinysearch.report.display import Display

    notes, console = stderr(), stdout()
    with terminations(), telling_what_is_kept(notes), plugins.cluster(cluster, workers) as place:
        found = train_again(
            models or (),
            seeds=seeds,
            recipe=recipe,
            epochs=epochs,
            plateau_factor=plateau_factor,
            run=run,
            data=data or "auto",
            dataset=dataset,
            reading=reading,
            store=store,
            **place,
            callbacks=[Display(notes, notes=False, spell=spelled)],
            verbose=0,
        )
    if found.baselines:
        console.print(comparison(found.baselines, found.dataset, found.recipe))
    if found.known:
        console.print(again(found.known, found.records, found.dataset))
