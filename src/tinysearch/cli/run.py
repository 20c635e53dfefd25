"""``run``: the main job."""

from __future__ import annotations

import dataclasses
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tinysearch.cli import options
from tinysearch.cli.numbers import natural, whole
from tinysearch.cli.reporting import EXIT_INTERRUPTED, EXIT_SIGNAL, reported, stderr, stdout
from tinysearch.errors import NoTestImagesError, TrainingError

if TYPE_CHECKING:
    from tinysearch.cli.progress import TrainingProgress
    from tinysearch.results.record import Epoch, Record
    from tinysearch.results.store import Store
    from tinysearch.search.execution import RunOutcome
    from tinysearch.search.proposer import Proposal
    from tinysearch.search.run import SearchRun


@reported
def run(
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            "-b",
            parser=whole,
            metavar="N",
            help="Parameters, moving statistics included; at or above is rejected. [10000]",
        ),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Candidates to train, baselines not counted. [20]")
    ] = None,
    epochs: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Epochs for every candidate. [10]")
    ] = None,
    strategy: Annotated[
        str | None,
        typer.Option(help="evolution, bayesian, halving, random or keras-tuner:<oracle>. [evolution]"),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Seed of everything random; 0 is a seed. [0]")
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="default or documented. [default]")] = None,
    baselines: Annotated[
        bool | None, typer.Option("--baselines/--no-baselines", help="Train the documented models first.")
    ] = None,
    max_macs: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Most multiply-accumulates per image.")
    ] = None,
    max_memory: Annotated[
        int | None, typer.Option(parser=whole, metavar="N", help="Most bytes of activations at the peak, in int8.")
    ] = None,
    workers: options.Workers = None,
    evaluate: Annotated[
        int | None,
        typer.Option(
            parser=natural,
            metavar="N",
            help="Trainings of the winner on all training images, scored on the test images; 0 for none. [3]",
        ),
    ] = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    name: Annotated[str | None, typer.Option(help="Name of the run. [made of dataset and budget]")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run --name, or the latest one.")] = False,
    time_limit: Annotated[
        str | None, typer.Option(help="End after this time, with whole trials: 90s, 30m, 2h.")
    ] = None,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train again what other runs in the store have trained alike.")
    ] = False,
    stall_limit: Annotated[
        str, typer.Option(help="Give up a training that finishes no epoch for this long: 90s, 30m, 2h.")
    ] = "30m",
    worker_memory: Annotated[
        str | None, typer.Option(help="Most memory for each worker process: 500M, 2G (Linux).")
    ] = None,
    store: options.Store = None,
) -> None:
    """Search for the best network below a budget of parameters, and print the leaderboard.

    Every candidate is trained for all its epochs, in a process of its own, and scored by the last one on images that
    are held out; the winner is then retrained with a few seeds and scored on the test images. What was trained is
    stored at once; --resume goes on after Ctrl-C, a crash or a kill from the last whole epoch.

    Example: tinysearch run --budget 10000
    """
    from tinysearch.api import open_run
    from tinysearch.cli.durations import seconds
    from tinysearch.cli.progress import TrainingProgress
    from tinysearch.cli.signals import terminations
    from tinysearch.cli.sizes import size
    from tinysearch.results.store import Store, default_path

    limit, stall = None if time_limit is None else seconds(time_limit), seconds(stall_limit)
    memory = None if worker_memory is None else size(worker_memory)
    given = {
        "budget": budget,
        "trials": trials,
        "epochs": epochs,
        "strategy": strategy,
        "seed": seed,
        "recipe": recipe,
        "baselines": baselines,
        "workers": workers,
        "evaluate": evaluate,
        "max_macs": max_macs,
        "max_memory": max_memory,
    }
    notes = stderr()
    path = store or default_path()
    with terminations() as signals, Store(path, create=True) as opened:
        search = open_run(
            opened,
            {key: value for key, value in given.items() if value is not None},
            dataset=dataset,
            data=data,
            name=name,
            resume=resume,
            time_limit=limit,
            retrain=retrain,
            stall_limit=stall,
            worker_memory=memory,
        )
        if search.dataset.fallback:
            notes.print(Text(f"note: {search.dataset.fallback}", style="bold yellow"))
        notes.print(_plan(search, path))
        settings, done = search.settings, search.ledger.done
        with TrainingProgress(notes, search.planned, settings.recipe.epochs, done, settings.workers) as progress:
            outcome = search.carry_out(_Shown(search, progress))
        problem: TrainingError | None = None
        if search.evaluates(outcome):
            try:
                outcome = _evaluated(opened, search, outcome, notes, stall, memory)
            except TrainingError as error:
                problem = error
        _conclude(opened, search, outcome, stdout(), notes)
    where = _as_options({"--store": store})
    again = _as_options({"--dataset": dataset if dataset != "auto" else None, "--data": data}) + where
    limits = {"--worker-memory": worker_memory, "--stall-limit": stall_limit if stall_limit != "30m" else None}
    on = again + _as_options(limits) + (" --retrain" if retrain else "")
    _next_steps(search, outcome, notes, on, again, where)
    if problem is not None:
        raise problem
    if outcome.ending == "interrupted":
        raise typer.Exit(EXIT_SIGNAL + signals[0] if signals else EXIT_INTERRUPTED)
    if outcome.records and outcome.best is None:
        raise TrainingError(
            f"all {len(outcome.records)} candidates failed; the last one: {outcome.records[-1].measurement.failure}"
        )


class _Shown:
    """Passes what happens in a run on to the display."""

    def __init__(self, search: SearchRun, progress: TrainingProgress) -> None:
        self._progress = progress
        self._best: Record | None = None
        for record in search.ledger.records():
            self._compare(record)
        self._tell(search.ledger.rejections)

    def on_start(self, proposal: Proposal) -> None:
        from tinysearch.space.notation import notation

        label = proposal.name if proposal.trial is None else f"trial {proposal.trial + 1}"
        layers = notation(proposal.candidate.architecture)
        self._progress.start(f"{label}  {proposal.cost.params:,} params  {layers}", proposal.position)

    def on_epoch(self, position: int, number: int, epoch: Epoch) -> None:
        self._progress.epoch(number, epoch, position)

    def on_record(self, position: int, record: Record, rejections: Mapping[str, int]) -> None:
        self._compare(record)
        self._tell(rejections)
        self._progress.finish(record, position)

    def _compare(self, record: Record) -> None:
        from tinysearch.results.leaderboard import best

        self._best = best(filter(None, (self._best, record)))

    def _tell(self, rejections: Mapping[str, int]) -> None:
        from tinysearch.results.render import figures

        line = ""
        if self._best is not None:
            accuracy = figures.percent(self._best.measurement.val_accuracy)
            line = f"best so far: {accuracy} with {self._best.cost.params:,} params, {self._best.name}"
        self._progress.note(line, f"rejected: {_rejected(rejections)}" if rejections else "")


def _plan(search: SearchRun, store: Path) -> Table:
    from tinysearch.space.survey import survey

    settings, dataset = search.settings, search.dataset
    height, width, channels = dataset.task.input_shape
    held = search.dataset.training_data()
    images = f"{len(held.train):,} images to train, {len(held.validation or ()):,} to validate"
    found = survey(settings.budget, space=search.space, draws=500, samples=0)
    before = f"{len(search.baselines)} documented models, then " if search.baselines else ""
    done = search.ledger.done
    resumed = f", {done} of {search.planned} trained already" if done else ""
    at_a_time = f", {settings.workers} at a time" if settings.workers > 1 else ""
    limits = [f"fewer than {settings.budget.params:,} parameters"]
    if settings.budget.macs is not None:
        limits.append(f"at most {settings.budget.macs:,} MACs")
    if settings.budget.peak_activation_bytes is not None:
        limits.append(f"at most {settings.budget.peak_activation_bytes:,} bytes of activations")
    rows = [
        ("run", f"{search.name} in {store}{resumed}"),
        ("data", f"{dataset.name} from {dataset.source}: {images}, {height}x{width}x{channels}"),
        ("budget", ", ".join(limits)),
        ("space", f"{100 * found.share:.0f} % of random members fit; the smallest has {found.smallest:,} parameters"),
        ("search", f"{before}{settings.trials} trials by {settings.strategy}, seed {settings.seed}"),
        ("training", f"{settings.recipe.epochs} epochs each, recipe {settings.recipe.name}{at_a_time}"),
    ]
    table = Table.grid(padding=(0, 2))
    for title, value in rows:
        table.add_row(Text(title, style="bold"), Text(value))
    return table


def _rejected(rejections: Mapping[str, int]) -> str:
    words = {
        "params": "at or above the budget",
        "macs": "too many MACs",
        "peak_activation_bytes": "too much memory",
        "int8_weight_bytes": "too many bytes of weights",
        "duplicate": "seen before",
        "shape": "do not fit the images",
    }
    return ", ".join(f"{number:,} {words.get(reason, reason)}" for reason, number in sorted(rejections.items()))


def _evaluated(
    store: Store, search: SearchRun, outcome: RunOutcome, notes: Console, stall: float, memory: int | None
) -> RunOutcome:
    """Evaluate the winner; what comes of it is in the store.

    Raises:
        TrainingError: if it could not be trained with one of the seeds.
    """
    from tinysearch.cli.evaluations import evaluated
    from tinysearch.search.evaluation import best_of

    seeds, workers = search.settings.evaluate, search.settings.workers
    planned = best_of(store, search.name, search.dataset, 1, range(seeds))
    notes.print(
        f"\nthe winner, {planned[0].name}, is trained on all training images, once for each of {seeds} seeds, and scored "
        f"on the test images",
        soft_wrap=True,
    )
    try:
        evaluated(store, planned, search.dataset, notes, workers, stall_limit=stall, worker_memory=memory)
    except NoTestImagesError as error:
        notes.print(Text(f"note: no test figures: {error}", style="bold yellow"))
    except KeyboardInterrupt:
        return dataclasses.replace(outcome, ending="interrupted")
    return outcome


def _conclude(store: Store, search: SearchRun, outcome: RunOutcome, console: Console, notes: Console) -> None:
    from tinysearch.cli.evaluations import comparisons
    from tinysearch.results.leaderboard import rank
    from tinysearch.results.render import terminal
    from tinysearch.space.notation import notation

    records = store.records(search.name)
    console.print(terminal.leaderboard(rank(records), console.width))
    compared = comparisons(store, [record for record in records if record.purpose == "evaluation"])
    if compared is not None:
        console.print()
        console.print(compared)
    winner = outcome.best
    if winner is not None:
        console.print()
        console.print(Text.assemble("the winner: ", (winner.name, "bold"), f"  {notation(winner.architecture)}"))
        console.print(terminal.layers(winner.cost))
    ends: dict[str, str] = {
        "finished": "all trials are done",
        "exhausted": "no new candidate within the budget turns up any more",
        "time limit": "the time limit has come, or would have before the end of another trial",
        "interrupted": "interrupted; what was trained is stored",
    }
    notes.print()
    notes.print(f"{ends[outcome.ending]}; rejected: {_rejected(outcome.rejections) or 'none'}", soft_wrap=True)


def _as_options(given: Mapping[str, object]) -> str:
    return "".join(f" {option} {shlex.quote(str(value))}" for option, value in given.items() if value is not None)


def _next_steps(search: SearchRun, outcome: RunOutcome, notes: Console, on: str, again: str, where: str) -> None:
    """Print commands that one may want next.

    ``on`` are the options that a resumed run needs, ``again`` those of them that say where its data is, ``where`` the
    one that says where the store is.
    """
    name = shlex.quote(search.name)
    steps: list[tuple[str, str]] = []
    if outcome.ending in ("interrupted", "time limit"):
        steps.append(("go on", f"tinysearch run --name {name} --resume{on}"))
    if outcome.best is not None:
        if not search.evaluates(outcome):
            steps.append(("test it", f"tinysearch evaluate {name} --top 1 --seeds 3{again}"))
        steps.append(("look closer", f"tinysearch show {outcome.best.key}{where}"))
        model = search.models.path(outcome.best.key)
        if model.exists():
            steps.append(("use it", f"keras.saving.load_model({str(model)!r})"))
    if outcome.ending == "finished":
        more = search.settings.trials * 2
        steps.append(("search on", f"tinysearch run --name {name} --resume --trials {more}{on}"))
    steps.append(("see all runs", f"tinysearch leaderboard{where}"))
    for title, command in steps:
        notes.print(f"  {title + ':':<14}{command}", markup=False, soft_wrap=True)
