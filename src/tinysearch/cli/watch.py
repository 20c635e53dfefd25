"""The command ``watch``: progress of a run in another process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import completion, options, stores
from tinysearch.cli.numbers import positive
from tinysearch.cli.reporting import reported, stdout
from tinysearch.results.record import ACCURACY
from tinysearch.runtime.rich import Console, Group, Live, RenderableType, Table, Text

if TYPE_CHECKING:
    from tinysearch.results.run import Run
    from tinysearch.results.store import Store
    from tinysearch.results.summary import Summary

LATEST = 8


@reported
def watch(
    run: Annotated[
        str | None,
        typer.Argument(help="Name of the run. [the latest]", autocompletion=completion.runs),
    ] = None,
    interval: Annotated[
        int, typer.Option(parser=positive, metavar="SECONDS", help="Interval between reads of the store.")
    ] = 2,
    store: options.Store = None,
) -> None:
    """Show the progress of a run in another process until it ends, without slowing it down.

    Example: tinysearch watch mnist-10000-1
    """
    from tinysearch.errors import RunError
    from tinysearch.report.states import described
    from tinysearch.results.lock import HolderWatch
    from tinysearch.results.store import Store, default_path

    console = stdout()
    with Store(store or default_path()) as opened:
        runs = opened.runs()
        if run is None and not runs:
            raise RunError(f"the store {opened.path} has no run yet; start one with tinysearch run")
        name = runs[-1].name if run is None else opened.run(run).name
        live = Live(console=console, auto_refresh=False) if console.is_terminal and not console.no_color else None
        watched = HolderWatch(opened.folder_of(name))
        seen = idle = 0
        if live is not None:
            live.start()
        try:
            while True:
                who = watched.look()
                found, summaries = opened.run(name), opened.summaries(name)
                state = described(found, who, watched.silent, stores.store_words(store))
                if live is not None:
                    live.update(_display(opened, found, summaries, state), refresh=True)
                else:
                    seen = _print_new(console, summaries, seen)
                # Between two commands that resume the run, no process holds it for a moment.
                idle = idle + 1 if who is None else 0
                if idle == 2:
                    break
                time.sleep(interval)
        finally:
            if live is not None:
                live.stop()
        if live is None:
            console.print(state, soft_wrap=True)


def _display(store: Store, run: Run, summaries: list[Summary], state: str) -> RenderableType:
    """Return the state of a run, its best candidate and its latest trainings."""
    from tinysearch.report import figures
    from tinysearch.results.ranking import leader

    searched = [one for one in summaries if one.purpose == "search"]
    done = sum(one.origin == "search" for one in searched)
    planned = run.settings.get("trials")
    failed = sum(one.failure is not None for one in searched)
    facts = Table.grid(padding=(0, 2))
    rows = [
        ("run", f"{run.name} in {store.path}, {run.dataset}"),
        ("state", state),
        (
            "trials",
            f"{done}" + (f" of {planned}" if planned is not None else "") + (f", {failed} failed" if failed else ""),
        ),
    ]
    best = leader(summaries)
    if best is not None:
        value = figures.validated(best.value, best.val_seeds, best.metric)
        title = "" if best.metric == ACCURACY else f"{figures.metric_title(best.metric)} "
        rows.append(("best", f"{title}{value} with {best.params:,} params, {best.first.name}"))
    for title, value in rows:
        facts.add_row(Text(title, style="bold"), Text(value))
    table = Table(title="latest", title_justify="left", header_style="bold", box=None)
    named = [] if run.objective == ACCURACY else [figures.metric_title(run.objective, "validation")]
    for title in (*named, "validation", "test", "params", "time"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("candidate", no_wrap=True)
    table.add_column("layers", overflow="fold")
    for one in summaries[-LATEST:]:
        result = "failed" if one.failure is not None else figures.percent(one.val_accuracy)
        test = figures.percent(one.test_accuracy)
        time_spent = "reused" if one.reused_from is not None else figures.duration(one.train_seconds)
        values = [figures.measured(one.value, one.objective) for _ in named]
        table.add_row(*values, result, test, f"{one.params:,}", time_spent, Text(one.name), Text(one.layers))
    return Group(facts, Text(), table)


def _print_new(console: Console, summaries: list[Summary], seen: int) -> int:
    """Print a line for each training after the first ``seen``; return the number of all trainings."""
    from tinysearch.report import figures

    for one in summaries[seen:]:
        result = (
            f"failed: {one.failure}" if one.failure is not None else f"validation {figures.percent(one.val_accuracy)}"
        )
        if one.objective != ACCURACY and one.value is not None:
            title = figures.metric_title(one.objective, "validation")
            result = f"{title} {figures.measured(one.value, one.objective)}, {result}"
        test = "" if one.test_accuracy is None else f", test {figures.percent(one.test_accuracy)}"
        console.print(Text(f"{result}{test}  {one.params:,} params  {one.name}  {one.layers}"), soft_wrap=True)
    return len(summaries)
