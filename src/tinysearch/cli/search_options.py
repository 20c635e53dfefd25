"""Options of the commands that search; None if not given, so that a resumed run keeps its settings."""

from __future__ import annotations

from enum import Enum
from typing import Annotated, Literal

import typer

from tinysearch.cli import completion, panels
from tinysearch.cli.numbers import positive, whole
from tinysearch.errors import InputError

Epochs = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="Epochs to train every candidate. [10]",
        rich_help_panel=panels.COMMON,
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="Random seed; 0 is a seed too. [0]",
        rich_help_panel=panels.SEARCH,
    ),
]
TuneRecipe = Annotated[
    bool | None,
    typer.Option(
        "--tune-recipe/--fixed-recipe",
        help="Also search learning rate, batch size, augmentation, label smoothing, weight decay and weight averaging.",
        rich_help_panel=panels.ADVANCED,
    ),
]
Augment = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        help="auto (compares a few), none, recipe, or a .json file. [by size]",
        autocompletion=completion.among("auto", "none", "recipe"),
        rich_help_panel=panels.TRAINING,
    ),
]
Designs = Annotated[
    int | None,
    typer.Option(
        parser=whole,
        metavar="N",
        help="Number of predefined plain networks to start the search with; 0: none. [5]",
        rich_help_panel=panels.ADVANCED,
    ),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(
        metavar="none|balanced",
        help="balanced: weight classes equally, whatever their number of images. [none]",
        autocompletion=completion.among("none", "balanced"),
        rich_help_panel=panels.ADVANCED,
    ),
]
Prune = Annotated[
    bool | None,
    typer.Option(
        "--prune/--no-prune",
        help="Stop candidates early that fall behind earlier ones. [no-prune]",
        rich_help_panel=panels.ADVANCED,
    ),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        parser=positive,
        metavar="N",
        help="Maximum folds to validate a leader on; 1: no revalidation. [4]",
        rich_help_panel=panels.TRAINING,
    ),
]
# The former name of --folds.
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
LearnFrom = Annotated[
    list[str] | None,
    typer.Option(
        metavar="RUN",
        help="Learn only from this run, not from all on the same data; may be repeated.",
        autocompletion=completion.runs,
        rich_help_panel=panels.ADVANCED,
    ),
]
Cold = Annotated[
    bool,
    typer.Option(
        "--cold",
        help="Do not learn from other runs in the store on the same data.",
        rich_help_panel=panels.ADVANCED,
    ),
]
Lag = Annotated[
    int | None,
    typer.Option(
        parser=positive,
        metavar="N",
        help="Propose a trial without waiting for the N - 1 trials before it, so that up to N workers are busy. [8]",
        rich_help_panel=panels.ADVANCED,
    ),
]


class Schedule(str, Enum):
    """The results that a proposal may use."""

    lag = "lag"
    asynchronous = "async"


Schedules = Annotated[
    Schedule | None,
    typer.Option(
        "--schedule",
        help="lag: the same candidates with any number of workers; async: propose from all results that are known, for "
        "many workers. [lag]",
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
        help="Resume run --name, or the latest; =auto starts it if it is new.",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="MODULE:CLASS",
        help="Your own constraint on candidates; see docs/extending.md; may be repeated.",
        rich_help_panel=panels.ADVANCED,
    ),
]
Callbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--callback",
        metavar="MODULE:CLASS",
        help="Your own callback; see docs/extending.md; may be repeated.",
        rich_help_panel=panels.ADVANCED,
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where to train candidates: local, or module:Class. [local]",
        show_default=False,
        rich_help_panel=panels.ADVANCED,
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="bayesian, evolution, random, ...; see docs/strategies.md. [bayesian]",
        autocompletion=completion.strategies,
        rich_help_panel=panels.SEARCH,
    ),
]


def resumed(given: str | None) -> Literal["auto", True, False]:
    """Return the argument ``resume`` of a study for the value of ``--resume``.

    Raises:
        InputError: if the value is not empty or auto.
    """
    if given not in (None, "", "auto"):
        raise InputError(f"--resume takes no value, or auto; got --resume={given}")
    return "auto" if given == "auto" else given is not None
