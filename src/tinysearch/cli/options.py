"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tinysearch.cli import completion, panels
from tinysearch.cli.numbers import natural, positive, whole
from tinysearch.cli.paths import path

Budget = Annotated[
    int,
    typer.Option(
        "--budget",
        "-b",
        parser=whole,
        metavar="N",
        help="Networks must have fewer parameters than this.",
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
        help="Your data: an .npz, .npy or .csv file, or a folder of pictures.",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
Store = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="FILE",
        help="Store of results. [$TINYSEARCH_STORE, else runs/tinysearch.db]",
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
        help="Store of results, or archive (.jsonl). [$TINYSEARCH_STORE, else runs/tinysearch.db]",
        show_default=False,
        rich_help_panel=panels.COMMON,
    ),
]
Reference = Annotated[
    bool, typer.Option("--reference", help="Use the results that come with tinysearch instead of a store.")
]
Workers = Annotated[
    int | None,
    typer.Option(
        parser=positive,
        metavar="N",
        help="Candidates to train in parallel. [one per core, if memory allows]",
        rich_help_panel=panels.RESOURCES,
    ),
]
Space = Annotated[
    Path | None,
    typer.Option(
        parser=path,
        metavar="FILE",
        help="JSON file that restricts the search space; see docs/space.md.",
        show_default=False,
        rich_help_panel=panels.SEARCH,
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        "--metric",
        "--objective",
        metavar="NAME",
        help="Metric to rank by: accuracy, balanced_accuracy, macro_f1. [the objective of the runs]",
        autocompletion=completion.metrics,
    ),
]


Cluster = Annotated[
    str | None,
    typer.Option(
        "--cluster",
        metavar="ADDRESS",
        help="Train on a Ray cluster: auto, HOST:PORT, local; docs/cluster.md.",
        show_default=False,
        rich_help_panel=panels.RESOURCES,
    ),
]
Seed = Annotated[int, typer.Option(parser=natural, metavar="N", help="Random seed; 0 is a seed too.")]
Runs = Annotated[
    list[str] | None,
    typer.Argument(metavar="[RUN]...", help="Names of runs. [all]", autocompletion=completion.runs),
]
Candidate = Annotated[
    str,
    typer.Argument(
        help="A key or its first characters, baseline:conv|separable|inception, or a JSON file.",
        autocompletion=completion.candidates,
    ),
]
