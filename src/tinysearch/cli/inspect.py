"""The commands ``cost``, ``show`` and ``space``: they inspect networks without training any."""

from __future__ import annotations

import json
from enum import Enum
from typing import TYPE_CHECKING, Annotated

import typer

from tinysearch.cli import options, sources, stores, tasks
from tinysearch.cli.numbers import natural
from tinysearch.cli.output import write
from tinysearch.cli.reporting import reported, stdout

if TYPE_CHECKING:
    from tinysearch.cli.candidates import Found
    from tinysearch.data.readers.reader import Reading


class Format(str, Enum):
    """Output formats."""

    table = "table"
    json = "json"


class ShowFormat(str, Enum):
    """Output formats for a candidate."""

    table = "table"
    json = "json"
    markdown = "markdown"


FormatOption = Annotated[Format, typer.Option("--format", help="Output format.")]


@reported
@sources.reads_data
def cost(
    candidate: options.Candidate,
    format: FormatOption = Format.table,  # noqa: A002
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
    input_shape: tasks.InputShape = None,
    classes: tasks.Classes = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    *,
    reading: Reading,
) -> None:
    """Compute the parameters, MACs, RAM and flash of a network, without TensorFlow.

    The cost is for the images that a candidate was trained on; for baselines and files it is for MNIST. Choose other
    images with --data, or with --input-shape and --classes.

    Example: tinysearch cost baseline:conv --format json
    """
    from tinysearch.cli.candidates import find
    from tinysearch.report import details

    task = tasks.task_of(input_shape, classes, dataset, data, reading)
    found = find(candidate, stores.to_read(store, reference), trained=False, task=task)
    if format is Format.json:
        write(json.dumps(found.cost.to_dict(), indent=2) + "\n")
    else:
        stdout().print(details.layers(found.cost))


@reported
def show(
    candidate: options.Candidate,
    format: Annotated[  # noqa: A002
        ShowFormat, typer.Option("--format", help="Output format; markdown is a model card.")
    ] = ShowFormat.table,
    reference: options.Reference = False,
    store: options.StoreOrArchive = None,
) -> None:
    """Print a network's layers, and if it was trained, its curve and the origin of its figures.

    Example: tinysearch show baseline:separable
    """
    from tinysearch.cli.candidates import find

    found = find(candidate, stores.to_read(store, reference))
    if format is ShowFormat.json:
        write(json.dumps(_as_json(found), indent=2) + "\n")
    elif format is ShowFormat.markdown:
        from tinysearch.report.card import to_card
        from tinysearch.report.commands import data_words

        words = [*data_words(found.runs[0] if found.runs else None), *stores.store_words(store)]
        write(to_card(found.name, found.architecture, found.cost, found.records, found.class_names, words))
    else:
        _show(found)


@reported
@sources.reads_data
def space(
    budget: options.Budget = 10_000,
    samples: Annotated[
        int, typer.Option(parser=natural, metavar="N", help="Number of example architectures to print.")
    ] = 5,
    seed: options.Seed = 0,
    space: options.Space = None,
    format: FormatOption = Format.table,  # noqa: A002
    input_shape: tasks.InputShape = None,
    classes: tasks.Classes = None,
    dataset: options.Dataset = "auto",
    data: options.Data = None,
    *,
    reading: Reading,
) -> None:
    """Print the search space: its choices, its size, its smallest network, and the share within a budget.

    The space is for MNIST, unless you choose other images with --data, or with --input-shape and --classes.

    Example: tinysearch space --budget 10000
    """
    from tinysearch.cli.spaces import read_space
    from tinysearch.report import details
    from tinysearch.space.budget import Budget
    from tinysearch.space.search_space import SearchSpace
    from tinysearch.space.space_spec import tree_of
    from tinysearch.space.survey import survey

    bound = Budget(budget)
    task = tasks.task_of(input_shape, classes, dataset, data, reading)
    narrowed = SearchSpace(task, tree_of(read_space(space) or {}, budget, task))
    found = survey(bound, space=narrowed, draws=2_000, samples=samples, seed=seed)
    if format is Format.json:
        write(json.dumps(found.to_dict(), indent=2) + "\n")
    else:
        stdout().print(details.survey(found))


def _as_json(found: Found) -> dict[str, object]:
    return {
        "name": found.name,
        "architecture": found.architecture.to_dict(),
        "cost": found.cost.to_dict(),
        "class_names": list(found.class_names),
        "deployments": [dict(one) for one in found.deployments],
        "records": [
            {
                "run": record.run,
                "key": record.key,
                "origin": record.origin,
                "purpose": record.purpose,
                "trial": record.trial,
                "seed": record.seed,
                "dataset": record.dataset,
                "fingerprint": record.fingerprint,
                "recipe": dict(record.recipe),
                "measurement": record.measurement.to_dict(),
                "test_accuracy": record.test_accuracy,
                "objective": record.objective,
                "metrics": record.metrics,
                "test_metrics": dict(record.test_metrics),
                "provenance": dict(record.provenance),
                "position": record.position,
                "reused_from": record.reused_from,
                # The former name of the key, kept for programs that read it.
                "taken_from": record.reused_from,
                "created_at": record.created_at,
                "model": None if model is None else str(model),
            }
            for record, model in zip(found.records, found.models, strict=True)
        ],
    }


def _show(found: Found) -> None:
    from tinysearch.report import details, figures
    from tinysearch.results.artifacts import handed_out
    from tinysearch.runtime.rich import Text
    from tinysearch.space.notation import notation

    console = stdout()
    console.print(Text.assemble((found.name, "bold"), f"  {notation(found.architecture)}"), soft_wrap=True)
    console.print(details.legend())
    console.print()
    console.print(details.layers(found.cost))
    if found.class_names:
        console.print(Text(f"classes: {', '.join(found.class_names)}"), soft_wrap=True)
    console.print(details.trainings(found.records, found.models))
    record, model = handed_out(zip(found.records, found.models, strict=True)) or (None, None)
    if record is not None and model is not None:
        which = figures.training(record.purpose, record.seed, record.test_accuracy)
        console.print(Text(f"\n'tinysearch deploy' exports the network {which}: {model}"), soft_wrap=True)
    if found.deployments:
        console.print()
        console.print(details.deployments(found.deployments))
