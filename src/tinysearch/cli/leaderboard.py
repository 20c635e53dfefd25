"""The command ``leaderboard``: all candidates of the store, ranked."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from tinysearch.cli import options, stores
from tinysearch.cli.numbers import natural
from tinysearch.cli.output import write, write_page
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import reported, stderr, stdout
from tinysearch.errors import InputError

TABLE, HTML = "table", "html"


class Sort(str, Enum):
    """The order of the rows."""

    rank = "rank"
    val_accuracy = "val_accuracy"
    val_loss = "val_loss"
    test_accuracy = "test_accuracy"
    params = "params"
    macs = "macs"
    peak_activation_bytes = "peak_activation_bytes"
    flash_bytes = "flash_bytes"
    train_seconds = "train_seconds"


@reported
def leaderboard(
    runs: options.Runs = None,
    format: Annotated[  # noqa: A002
        str,
        typer.Option("--format", metavar="NAME", help="table, json, csv, markdown, html, or your own module:function."),
    ] = TABLE,
    sort: Annotated[
        Sort, typer.Option(help="Order of the rows; ranks use the metric on the validation images.")
    ] = Sort.rank,
    metric: options.Metric = None,
    pareto: Annotated[
        bool, typer.Option("--pareto", help="Show only the Pareto front of parameters and the metric.")
    ] = False,
    tested: Annotated[
        bool, typer.Option("--tested", help="Show only candidates that were scored on test images.")
    ] = False,
    top: Annotated[
        int | None,
        typer.Option(
            parser=natural,
            metavar="N",
            help="Show only the best N; 0 for all. [50 for tables, else all]",
        ),
    ] = None,
    dataset: Annotated[str | None, typer.Option(help="Show only results on this dataset.", show_default=False)] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", parser=path, metavar="FILE", help="Write to a file.", show_default=False),
    ] = None,
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
) -> None:
    """Rank all candidates in the store, with baselines marked and a ranking for each dataset.

    Candidates are ranked by the objective of the runs, or by accuracy if the runs have different ones; --metric chooses
    another. --reference shows the results that come with tinysearch, which you can reproduce by their keys.

    Example: tinysearch leaderboard --format markdown -o leaderboard.md
    """
    import gc

    from tinysearch.baselines.models import documented
    from tinysearch.report import figures, terminal
    from tinysearch.report.text import renderer
    from tinysearch.results.archive import open_to_read
    from tinysearch.results.leaderboard import rank

    render = None if format in (TABLE, HTML) else renderer(format, (TABLE, HTML))
    # No object made here is garbage before the end, and with many rows the search for garbage takes half the time.
    gc.disable()
    with open_to_read(stores.to_read(store, reference)) as opened:
        opened.check_names(runs or [])
        by = metric or opened.common_objective(runs or ())
        all_runs = opened.runs()
        splits = {run.name: run.split for run in all_runs}
        budgets = {run.name: run.budget for run in all_runs}
        records = [one for one in opened.summaries(metric=by) if not runs or one.run in runs]
        if format == HTML:
            if dataset is not None or pareto or tested or top is not None or sort is not Sort.rank:
                raise InputError(
                    "an HTML page shows everything, sorted and filtered in the browser; leave out --dataset, "
                    "--pareto, --tested, --top and --sort, or name runs"
                )
            from tinysearch.cli.report import page_of

            words = stores.store_words(store)
            write_page(page_of(opened, runs or (), reference=reference, words=words, metric=metric), output)
            return
    known = sorted({record.dataset for record in records})
    if dataset is not None and dataset not in known:
        raise InputError(
            f"no result was measured on dataset {dataset!r}; datasets with results: {', '.join(known) or 'none yet'}"
        )
    chosen = [record for record in records if dataset in (None, record.dataset)]
    limit = (50 if format == TABLE else 0) if top is None else top
    board = rank(chosen, sort=sort.value, pareto=pareto, tested=tested, top=limit or None, splits=splits)
    if format == TABLE and output is None:
        console = stdout()
        shown = {budgets.get(row.run) for row in board.rows}
        limited = {name for budget in shown if budget is not None for name in budget.limited}
        console.print(terminal.leaderboard(board, console.width, documented(), sort.value, limited))
        return
    text = terminal.plain(board, documented()) if render is None else render(board)
    write(text, output)
    if output is not None:
        stderr().print(f"wrote {figures.counted(len(board.rows), 'row')} to {output}", soft_wrap=True)
