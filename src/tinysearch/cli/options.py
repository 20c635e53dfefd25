"""Options that several commands share."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import typer

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
        help="Parameters, moving statistics included; at or above is rejected.",
    ),
]
Dataset = Annotated[
    str, typer.Option(help="auto (MNIST, else digits), mnist, fashion_mnist, cifar10, cifar100 or digits.")
]
Data = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="SOURCE",
        help="An .npz, .npy or .csv file, or a folder of pictures, see docs/data.md.",
        show_default=False,
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(
        parser=path, metavar="FILE", help="The store; $TINYSEARCH_STORE, else runs/tinysearch.db.", show_default=False
    ),
]
StoreOrArchive = Annotated[
    Path | None,
    typer.Option(
        "--store",
        parser=path,
        metavar="FILE",
        help="The store, or an archive (.jsonl); $TINYSEARCH_STORE, else runs/tinysearch.db.",
        show_default=False,
    ),
]
Reference = Annotated[
    bool, typer.Option("--reference", help="The results that come with tinysearch, instead of those of a store.")
]
Epochs = Annotated[int, typer.Option(parser=whole, metavar="N", help="Epochs that every candidate is trained for.")]
Workers = Annotated[
    int | None,
    typer.Option(
        parser=positive, metavar="N", help="Candidates to train at a time. [one per core, as far as memory allows]"
    ),
]
Space = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="FILE",
        help="A JSON file that narrows the search space, see docs/space.md.",
        show_default=False,
    ),
]
TuneRecipe = Annotated[
    bool | None,
    typer.Option(
        "--tune-recipe/--fixed-recipe",
        help="Search rate, batch size, augmentation, smoothing, decay and averaging with the architecture.",
    ),
]
Augment = Annotated[
    str | None,
    typer.Option(
        metavar="auto|none|FILE",
        help="How training images are changed: auto compares a few ways first, FILE is JSON. [that of the recipe]",
    ),
]
ClassWeight = Annotated[
    str | None,
    typer.Option(metavar="none|balanced", help="balanced: classes count alike, however many images they have. [none]"),
]
Prune = Annotated[
    bool | None,
    typer.Option("--prune/--no-prune", help="Stop candidates early that fall behind those before them. [no-prune]"),
]
Folds = Annotated[
    int | None,
    typer.Option(
        "--folds",
        parser=positive,
        metavar="N",
        help="Number of folds that a leader is validated on at the most before it wins. 1 for that of the search. [4]",
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
        help="What is searched for: accuracy, balanced_accuracy, macro_f1 or module:Class. [accuracy]",
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        "--objective",
        metavar="NAME",
        help="What ranks are by: accuracy, balanced_accuracy, macro_f1. [the objective of the runs]",
    ),
]
LearnFrom = Annotated[
    list[str] | None,
    typer.Option(metavar="RUN", help="Learn from this run's records too; may be given several times."),
]
Lag = Annotated[
    int | None,
    typer.Option(
        parser=positive,
        metavar="N",
        help="Number of trials a proposal may lag behind: trial i is proposed from the results of trials 0 to i - N, "
        "and up to N workers are busy. [8]",
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
    ),
]
Recipe = Annotated[
    str | None, typer.Option(metavar="NAME|FILE", help="default, documented, or a .json file with a recipe. [default]")
]
Resume = Annotated[
    str | None,
    typer.Option(
        "--resume",
        metavar="[=auto]",
        help="Continue the run --name, or the latest one; --resume=auto begins it if there is none.",
        show_default=False,
    ),
]
Constraints = Annotated[
    list[str] | None,
    typer.Option(
        "--constraint",
        metavar="MODULE:CLASS",
        help="A constraint of your own that candidates must meet, see docs/extending.md; may be given several times.",
    ),
]
Callbacks = Annotated[
    list[str] | None,
    typer.Option(
        "--callback",
        metavar="MODULE:CLASS",
        help="A callback of your own, see docs/extending.md; may be given several times.",
    ),
]
ExecutorName = Annotated[
    str,
    typer.Option(
        "--executor",
        metavar="NAME",
        help="Where candidates are trained: local, or module:Class of your own, see docs/extending.md.",
    ),
]
Strategy = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="bayesian, evolution, halving, random, keras-tuner:<oracle>, optuna:<sampler> or module:Class. [bayesian]",
    ),
]
Seed = Annotated[int, typer.Option(parser=natural, metavar="N", help="Seed of everything random; 0 is a seed.")]
Candidate = Annotated[
    str, typer.Argument(help="A key or the beginning of one, baseline:conv|separable|inception, or a JSON file.")
]


def resumed(given: str | None) -> Literal["auto", True, False]:
    """Return what ``--resume`` means for a study.

    Raises:
        InputError: if it has a value that it cannot have.
    """
    if given not in (None, "", "auto"):
        raise InputError(f"--resume stands alone, or is --resume=auto; got --resume={given}")
    return "auto" if given == "auto" else given is not None


def store_words(store: Path | None) -> list[str]:
    """Return the words that a printed command needs to find the store that was given; an archive takes no results."""
    from tinysearch.results.archive import SUFFIX

    return [] if store is None or store.suffix == SUFFIX else ["--store", str(store)]


def to_read(store: Path | None, reference: bool) -> Path:
    """Return the store or the archive that a command reads.

    Raises:
        InputError: if both are named.
    """
    from tinysearch.results.archive import REFERENCE
    from tinysearch.results.store import default_path

    if not reference:
        return store or default_path()
    if store is not None:
        raise InputError(f"--reference and --store {store} name different results; give one of them")
    return REFERENCE
