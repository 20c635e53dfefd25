"""The command ``frontier``: the best network below each of several budgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinysearch.cli import completion, devices, options, panels, plugins, search_options, sources
from tinysearch.cli.next_steps import as_options, interruption, print_steps
from tinysearch.cli.numbers import natural, several, whole
from tinysearch.cli.output import write
from tinysearch.cli.paths import path
from tinysearch.cli.reporting import EXIT_INTERRUPTED, EXIT_SIGNAL, reported, stderr, stdout
from tinysearch.cli.spaces import read_space
from tinysearch.cli.spelling import spelled
from tinysearch.errors import InputError, TrainingError
from tinysearch.report.display import Display
from tinysearch.runtime.rich import Rule
from tinysearch.space.budget import BUDGETS

if TYPE_CHECKING:
    from tinysearch.data.readers.reader import Reading
    from tinysearch.results.callback import Stage
    from tinysearch.results.record import Record
    from tinysearch.runtime.rich import Console

_BUDGETS = ",".join(map(str, BUDGETS))


@reported
@sources.reads_data
def frontier(
    budgets: Annotated[
        str,
        typer.Option(
            metavar="N,N,...",
            help="Parameter budgets: 1000,3000 or 1k,3k.",
            rich_help_panel=panels.COMMON,
        ),
    ] = _BUDGETS,
    trials: Annotated[
        int | None,
        typer.Option(
            parser=whole,
            metavar="N",
            help="Total number of candidates, not counting baselines. [10 per budget]",
            rich_help_panel=panels.COMMON,
        ),
    ] = None,
    epochs: search_options.Epochs = None,
    strategy: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="pareto: one run; others: one run per budget; docs/strategies.md. [pareto]",
            autocompletion=completion.strategies,
            rich_help_panel=panels.SEARCH,
        ),
    ] = None,
    seed: search_options.Seed = None,
    space: options.Space = None,
    tune_recipe: search_options.TuneRecipe = None,
    augment: search_options.Augment = None,
    class_weight: search_options.ClassWeight = None,
    prune: search_options.Prune = None,
    designs: search_options.Designs = None,
    learn_from: search_options.LearnFrom = None,
    cold: search_options.Cold = False,
    max_ram: devices.MaxRam = None,
    max_flash: devices.MaxFlash = None,
    device: devices.DeviceName = None,
    constraint: search_options.Constraints = None,
    objective: search_options.Objective = None,
    workers: options.Workers = None,
    cluster: options.Cluster = None,
    lag: search_options.Lag = None,
    folds: search_options.Folds = None,
    confirm: search_options.Confirm = None,
    evaluate: Annotated[
        int | None,
        typer.Option(
            parser=natural,
            metavar="N",
            help="Trainings of each winner to score on the test images. [3]",
            rich_help_panel=panels.TRAINING,
        ),
    ] = None,
    callback: search_options.Callbacks = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    name: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Name of the run; prefix if each budget is a run.",
            rich_help_panel=panels.COMMON,
        ),
    ] = "frontier",
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            parser=path,
            metavar="FILE.html",
            help="Plot all candidates and the Pareto front.",
            show_default=False,
            rich_help_panel=panels.COMMON,
        ),
    ] = None,
    store: options.Store = None,
    *,
    reading: Reading,
) -> None:
    """Search for the best network below each of several budgets, and print the Pareto front.

    This is one run with the strategy pareto, in which each training is useful for all sizes. The winners below each
    budget are revalidated and evaluated. Repeat the command to resume it after an interruption, or with more --trials
    to continue the search.

    With another --strategy, each budget is a run of its own with --trials candidates. Each run starts with the best
    networks of the previous budget, scaled until they just fit, and learns from all earlier trainings.

    Example: tinysearch frontier --budgets 1000,3000,10000 --trials 40 --plot frontier.html
    """
    from tinysearch.api.frontiers import frontier as sweep
    from tinysearch.cli.evaluations import front
    from tinysearch.cli.signals import terminations
    from tinysearch.search.frontier import winners

    bounds = several(budgets)
    if plot is not None and not plot.absolute().parent.is_dir():
        raise InputError(f"{plot} cannot be written: there is no folder {plot.parent}; name another file with --plot")
    notes = stderr()
    given: dict[str, Any] = {
        "trials": trials,
        "epochs": epochs,
        "strategy": strategy,
        "seed": seed,
        "lag": lag,
        "folds": confirm if folds is None else folds,
        "evaluate": evaluate,
        "space": read_space(space),
        "tune_recipe": tune_recipe,
        "augment": augment,
        "class_weight": class_weight,
        "max_ram": max_ram,
        "max_flash": max_flash,
        "device": device,
        "prune": prune,
        "designs": designs,
        "constraints": constraint or None,
        "objective": objective,
    }
    with terminations() as signals, plugins.cluster(cluster, workers) as place:
        found = sweep(
            bounds,
            data=data or "auto",
            dataset=dataset,
            reading=reading,
            name=name,
            store=store,
            **place,
            warm_start=learn_from,
            cold=cold,
            callbacks=[SweepDisplay(notes, name, bounds), *(callback or ())],
            verbose=0,
            **{key: value for key, value in given.items() if value is not None},
        )
    records = found.records
    notes.print()
    console = stdout()
    console.print(front(records, _limited(records, store), console.width))
    best = {bound: row for bound, row in winners(records).items() if row is not None}
    if best:
        largest = max(best)
        name, of = best[largest].name, best[largest].run
        where = as_options({"--store": store})
        notes.print()
        print_steps(
            [
                ("details", f"tinysearch show {name}{where}"),
                ("deploy", f"tinysearch deploy {name}{as_options({'--run': of})} --to c -o out{where}"),
                ("all runs", f"tinysearch leaderboard{where}"),
            ],
            notes,
        )
    if plot is not None:
        _plot(records, plot)
        notes.print(f"wrote {plot}", soft_wrap=True)
    if found.ending == "interrupted":
        kept = interruption(one for trained in records.values() for one in trained)
        notes.print(f"{kept}; the same command resumes")
        raise typer.Exit(EXIT_SIGNAL + signals[0] if signals else EXIT_INTERRUPTED)
    if found.problem is not None:
        raise found.problem
    failed = [bound for bound, found in records.items() if found and all(record.failed for record in found)]
    if failed:
        raise TrainingError(f"all candidates below {failed[0]:,} parameters failed")


class SweepDisplay(Display):
    """Display of a sweep: of one run per budget, each under its budget, or of one run with all budgets.

    Args:
        console: Console to print to.
        name: Name of the one run; with one run per budget, the name of each starts with it and ends in the budget.
        budgets: Budgets in the order of the searches.
    """

    def __init__(self, console: Console, name: str, budgets: Sequence[int]) -> None:
        super().__init__(console, notes=False, spell=spelled)
        self._budgets = list(budgets)
        self._to = console
        self._name = name

    def on_stage_start(self, stage: Stage) -> None:
        """Show the budget before the search below it."""
        if stage.name == "search" and stage.run != self._name:
            self._to.print()
            budget = int(stage.run.rpartition("-")[2])
            self._to.print(Rule(f"below {budget:,} parameters", align="left"))
            left = len(self._budgets) - 1 - self._budgets.index(budget)
            if left:
                row = (
                    "budgets",
                    f"{left} more follow{'s' if left == 1 else ''}; the expected time is for this one only",
                )
                stage = replace(stage, plan=[*stage.plan, row])
            # The note says how to resume a single run; a sweep is resumed by repeating its command.
            stage = replace(stage, plan=[one for one in stage.plan if one[0] != "note"])
        super().on_stage_start(stage)


def _limited(records: Mapping[int, Sequence[Record]], store: Path | None) -> set[str]:
    """Return the resources that the runs of a sweep limit besides parameters."""
    from tinysearch.results.store import Store, default_path

    with Store(store or default_path()) as opened:
        runs = [opened.run(name) for name in {one.run for found in records.values() for one in found}]
    return {name for run in runs if run.budget is not None for name in run.budget.limited}


def _plot(records: Mapping[int, Sequence[Record]], path: Path) -> None:
    """Write a page with all candidates of a sweep."""
    from tinysearch.report.plots import accuracy_over_params, page
    from tinysearch.results.leaderboard import rank

    # With one run, the records of a small network are listed below many budgets.
    every = {(one.run, one.key, one.purpose, one.seed): one for found in records.values() for one in found}
    board = rank(list(every.values()))
    figure = accuracy_over_params(board, board.datasets[0] if board.datasets else "")
    write(page(figure), path, "--plot")
