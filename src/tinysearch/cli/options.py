"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import typer

from tinysearch.cli import completion, panels
from tinysearch.cli.numbers import natural, positive, whole
from tinysearch.cli.paths import path
from tinysearch.errors import InputError

Budget = Annotated[
    int,
    typer.Option(
        "--budget",
        "-b",
        parser=whole,
        metavar="N",
        help="Parameters that a network must stay below.",
    ),
]
Dataset = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="auto (MNIST, else digits), mnist, fashion_mnist, ... [auto]",
        show_default=False,
        autocompletion=completion.among("auto", "mnist", "fashion_mnist", "cifar10", "cifar100", "digits"),
        rich_help_panel=panels.DATA,
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="SOURCE",
        help="Your .npz, .npy or .csv file, or folder of pictures.",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="FILE",
        help="The store. [$TINYSEARCH_STORE, else runs/tinysearch.db]",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
StoreOrArchive = Annotated[
    Path | None,
    typer.Option(
        "--store",
        parser=path,
        metavar="FILE",
        help="The store or an archive (.jsonl). [$TINYSEARCH_STORE, else runs/tinysearch.db]",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
Reference = Annotated[
    bool, typer.Option("--reference", help="The results that come with tinysearch, instead of those of a store.")
]
Epochs = Annotated[int, typer.Option(parser=whole, metavar="N", help="Epochs that every candidate is trained for.")]
Workers = Annotated[
    int | None,
    typer.Option(
        parser=positive,
        metavar="N",
        help="Candidates to train at a time. [one per core, as memory allows]",
        rich_help_panel=panels.RESOURCES,
    ),
]
Space = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="FILE",
        help="A JSON file that narrows the search space, see docs/space.md.",
        show_default=False,
        rich_help_panel=panels.SEARCH,
    ),
]
TuneRecipe = Annotated[
    bool | None,
    typer.Option(
        "--tune-recipe/--fixed-recipe",
        help="Search rate, batch size, augmentation, smoothing, decay and averaging with the architecture.",
        rich_help_panel=panels.ADVANCED,
    ),
]
Augment = Annotated[
    str | None,
    typer.Option(
        metavar="auto|none|FILE",
        help="How images are changed; auto compares a few ways. [the recipe's]",
        autocompletion=completion.among("auto", "none"),
        rich_help_panel=panels.TRAINING,
    ),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        metavar="none|balanced",
        help="balanced: classes count alike, however many images they have. [none]",
        autocompletion=completion.among("none", "balanced"),
        rich_help_panel=panels.ADVANCED,
    ),
]
Prune = Annotated[
    bool | None,
    typer.Option(
        "--prune/--no-prune",
        help="Stop candidates early that fall behind those before them. [no-prune]",
        rich_help_panel=panels.ADVANCED,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        parser=positive,
        metavar="N",
        help="Most folds that a leader is validated on; 1 for no revalidation. [4]",
        rich_help_panel=panels.TRAINING,
    ),
]
# The name that --folds had.
Confirm = Annotated[int | None, typer.Option("--confirm", parser=positive, metavar="N", hidden=True)]
Objective = Annotated[
    str | None,
    typer.Option(
        "--objective",
        "--metric",
        metavar="NAME",
        help="accuracy, balanced_accuracy, macro_f1 or module:Class. [accuracy]",
        autocompletion=completion.metrics,
        rich_help_panel=panels.SEARCH,
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        "--objective",
        metavar="NAME",
        help="What ranks are by: accuracy, balanced_accuracy, macro_f1. [the objective of the runs]",
        autocompletion=completion.metrics,
    ),
]
LearnFrom = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUN",
        help="Learn from this run's records too; may be given several times.",
        autocompletion=completion.runs,
        rich_help_panel=panels.ADVANCED,
    ),
]
Lag = Annotated[
    int | None,
    typer.Option(
        parser=positive,
        metavar="N",
        help="Number of trials a proposal may lag behind: trial i is proposed from the results of trials 0 to i - N, "
        "and up to N workers are busy. [8]",
        rich_help_panel=panels.ADVANCED,
    ),
]


class Schedule(str, Enum):
    """What a proposal may know."""

    lag = "lag"
    asynchronous = "async"


Schedules = Annotated[
    Schedule | None,
    typer.Option(
        "--schedule",
        help="When a trial is proposed: at a fixed lag, which gives the same candidates for any number of workers, or "
        "async, from all results that are there, for many workers. [lag]",
        rich_help_panel=panels.ADVANCED,
    ),
]
Recipe = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="default, documented, or a .json file with a recipe. [default]",
        autocompletion=completion.among("default", "documented"),
        rich_help_panel=panels.TRAINING,
    ),
]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="[=auto]",
        help="Go on with run --name, or the latest; =auto begins it if need be.",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="MODULE:CLASS",
        help="A constraint of your own that candidates must meet, see docs/extending.md; may be given several times.",
        rich_help_panel=panels.ADVANCED,
    ),
]
Callbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--callback",
        metavar="MODULE:CLASS",
        help="A callback of your own, see docs/extending.md; may be given several times.",
        rich_help_panel=panels.ADVANCED,
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where candidates are trained: local, or module:Class. [local]",
        show_default=False,
        rich_help_panel=panels.ADVANCED,
    ),
]
Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Train on a Ray cluster: auto, HOST:PORT or local; docs/cluster.md.",
        show_default=False,
        rich_help_panel=panels.RESOURCES,
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="bayesian, evolution, random, ...: docs/strategies.md. [bayesian]",
        autocompletion=completion.strategies,
        rich_help_panel=panels.SEARCH,
    ),
]
Seed = Annotated[int, typer.Option(parser=natural, metavar="N", help="Seed of everything random; 0 is a seed.")]
Runs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Runs; all if none is named.", autocompletion=completion.runs),
]
Candidate = Annotated[
    str,
    typer.Argument(
        help="A key or the beginning of one, baseline:conv|separable|inception, or a JSON file.",
        autocompletion=completion.candidates,
    ),
]


def resumed(given: str | None) -> Literal["auto", True, False]:
    """Return what ``--resume`` means for a study.

    Raises:
        InputError: if it has a value that it cannot have.
    """
    if given not in (None, "", "auto"):
        raise InputError(f"--resume stands alone, or is --resume=auto; got --resume={given}")
    return "auto" if given == "auto" else given is not None
