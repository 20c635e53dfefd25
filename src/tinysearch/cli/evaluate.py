"""The command ``evaluate``: test results of the best candidates of a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import completion, options, plugins, sources, stores
from tinysearch.cli.numbers import positive
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.cli.signals import terminations
from tinysearch.cli.spelling import spelled

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading


@reported
@sources.reads_data
def evaluate(
    run: Annotated[str, typer.Argument(help="Name of the run.", autocompletion=completion.runs)],
    top: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="Number of candidates to evaluate, best validation first.")
    ] = 1,
    seeds: Annotated[
        int, typer.Option(parser=positive, metavar="N", help="Number of trainings of each, with seeds 0, 1, ...")
    ] = 3,
    int8: Annotated[bool, typer.Option("--int8", help="Also score the networks in int8, as on a device.")] = False,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    store: options.Store = None,
    *,
    reading: Reading,
) -> None:
    """Retrain the best candidates of a run on all training images, and score them on the test images.

    The test images are used once per training, after its last epoch. Evaluations that are in the store already are not
    repeated; where one failed, another seed takes its place. The candidates are compared with hand-designed baselines
    in the same store; see reproduce.

    Example: tinysearch evaluate mnist-10000-1 --top 1 --seeds 5
    """
    from tinysearch.api.retraining import evaluate as evaluate_run
    from tinysearch.baselines.models import documented
    from tinysearch.cli.evaluations import comparisons, telling_what_is_kept
    from tinysearch.report import terminal
    from tinysearch.report.commands import baseline_words
    from tinysearch.report.display import Display
    from tinysearch.results.leaderboard import rank
    from tinysearch.results.store import Store, default_path

    notes, console = stderr(), stdout()
    with terminations(), Store(store or default_path()) as opened:
        with telling_what_is_kept(notes), plugins.cluster(cluster, workers) as place:
            records = evaluate_run(
                run,
                top=top,
                seeds=seeds,
                int8=int8,
                data=data or "auto",
                dataset=dataset,
                reading=reading,
                store=opened,
                **place,
                callbacks=[Display(notes, notes=False, spell=spelled)],
                verbose=0,
            )
        budget = opened.run(run).budget
        limited = frozenset() if budget is None else budget.limited
        board = rank(opened.records(run))
        console.print(terminal.leaderboard(board, console.width, documented(), limited=limited))
        compared = comparisons(opened, records)
        known = opened.run(run)
        said = [*baseline_words(known), *stores.store_words(store)]
    if compared is None:
        words = ["tinysearch", "reproduce", "--seeds", "3", *said]
        notes.print(f"to compare with the hand-designed baselines: {shlex.join(words)}", soft_wrap=True)
    else:
        console.print(compared)
