"""``evaluate``: honest test figures for the best of a run."""

from __future__ import annotations

from typing import Annotated

import typer

from tinysearch.cli import options
from tinysearch.cli.numbers import positive
from tinysearch.cli.reporting import reported, stderr, stdout


@reported
def evaluate(
    run: Annotated[str, typer.Argument(help="Name of the run.")],
    top: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="How many candidates, the best by validation accuracy.")
    ] = 1,
    seeds: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="How many trainings of each, with seeds 0, 1, ...")
    ] = 3,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    store: options.Store = None,
) -> None:
    """Retrain the best candidates of a run on all training images, and score them on the test images.

    The test images are used once per training, after its last epoch. What was evaluated already is taken from the
    store.

    Example: tinysearch evaluate mnist-10000-1 --top 1 --seeds 5
    """
    from tinysearch.cli.progress import TrainingProgress
    from tinysearch.results.leaderboard import rank
    from tinysearch.results.render import terminal
    from tinysearch.results.store import Store, default_path
    from tinysearch.search.datasets import load
    from tinysearch.search.evaluation import best_of, evaluate_all

    notes, console = stderr(), stdout()
    with Store(store or default_path()) as opened:
        opened.run(run)
        images = load(dataset, data)
        chosen = best_of(opened, run, images, top)
        epochs = max(len(record.measurement.curve) for record in chosen)
        with TrainingProgress(notes, total=len(chosen) * seeds, epochs=epochs) as progress:
            evaluate_all(
                opened,
                chosen,
                images,
                range(seeds),
                on_start=lambda record, seed: progress.start(f"{record.name}, seed {seed}"),
                on_epoch=progress.epoch,
                on_record=progress.finish,
            )
        board = rank(opened.records(run))
    console.print(terminal.leaderboard(board, console.width))
