"""The command ``run``: a search below one budget."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tinysearch.cli import completion, devices, options, panels, plugins, search_options, sources
from tinysearch.cli.next_steps import as_options, interruption, next_steps, still_to_do
from tinysearch.cli.numbers import natural, seconds, whole
from tinysearch.cli.reporting import EXIT_INTERRUPTED, EXIT_SIGNAL, reported, stderr, stdout
from tinysearch.cli.spaces import read_space
from tinysearch.cli.spelling import spelled
from tinysearch.runtime.rich import Console, Text
from tinysearch.space.sizes import size

if TYPE_CHECKING:
    from tinysearch.api.study import Study
    from tinysearch.data.readers.reader import Reading
    from tinysearch.search.outcome import RunOutcome


class Reuse(str, Enum):
    """Which identical trainings of other runs are reused."""

    same = "same"
    any = "any"
    none = "none"


@reported
@sources.reads_data
def run(
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            "-b",
            parser=whole,
            metavar="N",
            help="Bound on parameters; networks have fewer. [10000, or --max-flash]",
            rich_help_panel=panels.COMMON,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            parser=whole,
            metavar="N",
            help="Number of candidates to train, not counting baselines. [20]",
            rich_help_panel=panels.COMMON,
        ),
    ] = None,
    epochs: search_options.Epochs = None,
    strategy: search_options.Strategy = None,
    seed: search_options.Seed = None,
    recipe: search_options.Recipe = None,
    baselines: Annotated[
        bool | None,
        typer.Option(
            "--baselines/--no-baselines",
            help="Train the hand-designed baselines before the search.",
            rich_help_panel=panels.ADVANCED,
        ),
    ] = None,
    space: options.Space = None,
    tune_recipe: search_options.TuneRecipe = None,
    augment: search_options.Augment = None,
    class_weight: search_options.ClassWeight = None,
    prune: search_options.Prune = None,
    designs: search_options.Designs = None,
    learn_from: search_options.LearnFrom = None,
    cold: search_options.Cold = False,
    objective: search_options.Objective = None,
    max_macs: Annotated[
        int | None,
        typer.Option(
            parser=whole,
            metavar="N",
            help="Maximum number of multiply-accumulates per image.",
            rich_help_panel=panels.ADVANCED,
        ),
    ] = None,
    max_ram: devices.MaxRam = None,
    max_flash: devices.MaxFlash = None,
    device: devices.DeviceName = None,
    constraint: search_options.Constraints = None,
    workers: options.Workers = None,
    executor: search_options.ExecutorName = "local",
    cluster: options.Cluster = None,
    lag: search_options.Lag = None,
    schedule: search_options.Schedules = None,
    folds: search_options.Folds = None,
    confirm: search_options.Confirm = None,
    evaluate: Annotated[
        int | None,
        typer.Option(
            parser=natural,
            metavar="N",
            help="Trainings of the winner to score on the test images; 0: none. [3]",
            rich_help_panel=panels.TRAINING,
        ),
    ] = None,
    callback: search_options.Callbacks = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    name: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of the run. [from dataset and budget]",
            rich_help_panel=panels.COMMON,
            autocompletion=completion.runs,
        ),
    ] = None,
    resume: search_options.Resume = None,
    time_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Stop after this time: 90s, 30m, 2h.",
            rich_help_panel=panels.RESOURCES,
        ),
    ] = None,
    reuse: Annotated[
        Reuse,
        typer.Option(
            help="Reuse identical trainings of other runs: from the same environment, from any, or none.",
            rich_help_panel=panels.ADVANCED,
        ),
    ] = Reuse.same,
    retrain: Annotated[bool, typer.Option("--retrain", hidden=True)] = False,
    stall_limit: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Abort a training that finishes no epoch in this time: 90s, 30m, 2h. [30m]",
            rich_help_panel=panels.ADVANCED,
        ),
    ] = None,
    worker_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory limit of each worker process: 500M, 2G (Linux only).",
            rich_help_panel=panels.ADVANCED,
        ),
    ] = None,
    store: options.Store = None,
    *,
    reading: Reading,
) -> None:
    """Search for the best network below a budget of parameters, and print the leaderboard.

    Every candidate is trained in its own process and scored by its last epoch on held-out images. The leaders are then
    revalidated on other folds, in at most half as many trainings as there are trials. The winner is retrained with a
    few seeds and scored on the test images. Results are stored at once; --resume continues after Ctrl-C, a crash or a
    kill from the last finished epoch.

    Example: tinysearch run --budget 10000
    """
    from tinysearch.api.study import Study
    from tinysearch.cli.signals import terminations
    from tinysearch.report.display import Display

    given: dict[str, Any] = {
        "budget": budget,
        "trials": trials,
        "epochs": epochs,
        "strategy": strategy,
        "seed": seed,
        "recipe": recipe,
        "baselines": baselines,
        "lag": lag,
        "schedule": None if schedule is None else schedule.value,
        "folds": confirm if folds is None else folds,
        "evaluate": evaluate,
        "space": read_space(space),
        "tune_recipe": tune_recipe,
        "augment": augment,
        "class_weight": class_weight,
        "prune": prune,
        "designs": designs,
        "warm_start": learn_from or None,
        "cold": cold or None,
        "objective": objective,
        "max_macs": max_macs,
        "max_ram": max_ram,
        "max_flash": max_flash,
        "device": device,
        "constraints": constraint or None,
    }
    limits: dict[str, Any] = {
        "time_limit": None if time_limit is None else seconds(time_limit),
        "worker_memory": None if worker_memory is None else size(worker_memory),
    }
    stall_seconds = None if stall_limit is None else seconds(stall_limit)
    which = Reuse.none if retrain else reuse
    notes = stderr()
    with terminations() as signals:
        study = Study(
            data=data or "auto",
            dataset=dataset,
            reading=reading,
            store=store,
            name=name,
            resume=search_options.resumed(resume),
            reuse=which.value,
            callbacks=[Display(notes, notes=False, spell=spelled), *(callback or ())],
            verbose=0,
            **{key: value for key, value in given.items() if value is not None},
        )
        with study, plugins.executor(executor, workers, cluster, stall_seconds) as place:
            outcome = study.carry_out(**place, **limits)
            _conclude(study, outcome, stdout(), notes)
            where = as_options({"--store": store})
            bounds = {"--cluster": cluster, "--worker-memory": worker_memory, "--stall-limit": stall_limit}
            on = where + as_options(bounds) + ("" if which is Reuse.same else f" --reuse {which.value}")
            next_steps(study, outcome, notes, on, where)
    if outcome.problem is not None:
        raise outcome.problem
    if outcome.ending == "interrupted":
        raise typer.Exit(EXIT_SIGNAL + signals[0] if signals else EXIT_INTERRUPTED)
    if outcome.failure is not None:
        raise outcome.failure


def _conclude(study: Study, outcome: RunOutcome, console: Console, notes: Console) -> None:
    from tinysearch.baselines.models import documented
    from tinysearch.cli.evaluations import comparisons
    from tinysearch.report import details, figures, terminal
    from tinysearch.space.notation import notation

    limited = study.settings.budget.limited
    notes.print()
    console.print(terminal.leaderboard(study.leaderboard, console.width, documented(), limited=limited))
    compared = comparisons(study.store, study.store.records(outcome.name, purpose="evaluation"))
    if compared is not None:
        console.print()
        console.print(compared)
    winner = outcome.best
    if winner is not None:
        console.print()
        title = "best so far: " if outcome.missing else "the winner: "
        console.print(Text.assemble(title, (winner.name, "bold"), f"  {notation(winner.architecture)}"))
        console.print(details.layers(study.best.record.cost))
    ends: dict[str, str] = {
        "finished": "all trials are done",
        "exhausted": "no new candidate within the budget was found",
        "time limit": "the time limit was reached, or would be before another trial ends",
        "interrupted": interruption(outcome.records),
    }
    notes.print()
    rejected = f"; rejected: {figures.rejected(outcome.rejections)}" if outcome.rejections else ""
    said = [f"{ends[outcome.ending]}{rejected}"]
    if outcome.missing:
        said.append(f"still to be done: {still_to_do(study, outcome)}")
    for line in said:
        # Without a terminal, lines are not wrapped, so that they can be searched.
        notes.print(line, soft_wrap=not notes.is_terminal)
